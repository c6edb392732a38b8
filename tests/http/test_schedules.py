"""/schedules: put, look, pause, resume, run, drop."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from ferryman.domain.cron import Cron
from ferryman.domain.job import MICROS
from ferryman.domain.schedule import Order, Schedule
from ferryman.http import wire
from tests.http.world import UNKNOWN, World, is_problem

pytestmark = pytest.mark.anyio

NIGHTLY: dict[str, Any] = {"cron": "30 2 * * *", "type": "echo", "time_zone": "Europe/Berlin"}


async def put(http: httpx.AsyncClient, schedule: str = "nightly", **more: Any) -> httpx.Response:
    return await http.put(f"/schedules/{schedule}", json={**NIGHTLY, **more})


async def test_the_jobs_that_a_schedule_has_made_are_told(world: World, http: httpx.AsyncClient) -> None:
    is_problem(await http.get("/schedules/nightly/runs"), 404, "FM417")
    await put(http)
    assert (await http.get("/schedules/nightly/runs")).json() == []
    [kept] = await world.store.schedules()
    now = world.clock.now()
    due = [kept.seen_until + seconds * MICROS for seconds in (60, 120)]
    ids = iter(UNKNOWN[:-1] + digit for digit in "12")
    firing = kept.schedule.firing(kept.seen_until, kept.changed_at, due, lambda: next(ids), now)
    await world.store.fire(firing, now)
    runs = (await http.get("/schedules/nightly/runs")).json()
    assert [(each["id"], each["due_at"]) for each in runs] == [
        (job.id, wire.write_moment(at)) for job, at in zip(firing.jobs[::-1], due[::-1], strict=True)
    ]
    assert runs[0] | {"id": "", "due_at": ""} == {
        "id": "",
        "due_at": "",
        "created_at": wire.write_moment(now),
        "status": "scheduled",
        "started_at": None,
        "finished_at": None,
    }
    assert len((await http.get("/schedules/nightly/runs?limit=1")).json()) == 1
    del world.store._tables.jobs[runs[0]["id"]]
    assert (await http.get("/schedules/nightly/runs")).json() == runs[1:], "one is pruned"
    for limit in ("0", "1001", "x"):
        is_problem(await http.get(f"/schedules/nightly/runs?limit={limit}"), 400, "FM401")
    is_problem(await http.get("/schedules/nightly/runs?order=asc"), 400, "FM401")


async def test_a_schedule_is_put_and_read(http: httpx.AsyncClient) -> None:
    answer = await put(http)
    assert (answer.status_code, answer.headers["location"]) == (201, "/schedules/nightly")
    assert answer.json() == {
        "name": "nightly",
        "cron": "30 2 * * *",
        "time_zone": "Europe/Berlin",
        "ambiguous": "first",
        "nonexistent": "shift",
        "missed": "skip",
        "max_missed": 100,
        "overlap": "allow",
        "type": "echo",
        "payload": {},
        "queue": "default",
        "priority": 5,
        "max_attempts": 5,
        "timeout": None,
        "unique_key": None,
        "tags": [],
        "paused": False,
        "source": "people",
        "overridden": False,
        "in_words": "At 02:30 every day",
        "next_runs": [f"2026-01-0{day}T01:30:00.000000Z" for day in range(1, 6)],
        "last_job": None,
        "fired": 0,
        "skipped": 0,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "changed_at": "2026-01-01T00:00:00.000000Z",
    }
    assert (await http.get("/schedules/nightly")).json() == answer.json()
    assert (await http.get("/schedules")).json() == [answer.json()]
    assert (await http.head("/schedules/nightly")).status_code == 200


async def test_a_put_changes_the_one_of_its_name(http: httpx.AsyncClient) -> None:
    await put(http)
    asked: dict[str, Any] = {
        "missed": "all",
        "max_missed": 3,
        "overlap": "wait",
        "ambiguous": "both",
        "nonexistent": "skip",
    }
    job: dict[str, Any] = {
        "payload": {"n": 1},
        "queue": "q",
        "priority": 1,
        "max_attempts": 2,
        "timeout": 3,
        "tags": ["a"],
    }
    answer = await put(http, **asked, **job, unique_key="k")
    assert answer.status_code == 200
    assert "location" not in answer.headers
    document = answer.json()
    assert {name: document[name] for name in (*asked, *job)} == {**asked, **job}
    assert document["unique_key"] == "k"
    assert len((await http.get("/schedules")).json()) == 1


@pytest.mark.parametrize(
    ("members", "pointers"),
    [
        ({"cron": None}, ["/cron"]),
        ({"cron": 5}, ["/cron"]),
        ({"type": None}, ["/type"]),
        ({"timezone": "UTC"}, ["/timezone"]),
        ({"delay": 5}, ["/delay"]),
        ({"missed": "never", "overlap": "no"}, ["/missed", "/overlap"]),
        ({"max_missed": 1001}, ["/max_missed"]),
        ({"max_missed": True}, ["/max_missed"]),
        ({"ambiguous": "second"}, ["/ambiguous"]),
        ({"payload": None}, ["/payload"]),
        ({"priority": 10}, ["/priority"]),
    ],
)
async def test_members_that_are_wrong_are_pointed_at(
    http: httpx.AsyncClient, members: dict[str, Any], pointers: list[str]
) -> None:
    document = is_problem(await put(http, **members), 422, "FM422")
    assert [each["pointer"] for each in document["errors"]] == pointers
    assert (await http.get("/schedules")).json() == []


async def test_what_is_needed_is_asked_for(http: httpx.AsyncClient) -> None:
    document = is_problem(await http.put("/schedules/x", json={}), 422, "FM422")
    assert [each["pointer"] for each in document["errors"]] == ["/cron", "/type"]


@pytest.mark.parametrize(
    ("name", "members", "code"),
    [
        ("x", {"cron": "* * *"}, "FM320"),
        ("x", {"time_zone": "Mars/Olympus"}, "FM320"),
        ("a b", {}, "FM311"),
        ("x", {"type": "other"}, "FM310"),
        ("x", {"payload": {"refuse": 1}}, "FM302"),
    ],
)
async def test_a_schedule_that_could_not_work_is_refused(
    http: httpx.AsyncClient, name: str, members: dict[str, Any], code: str
) -> None:
    is_problem(await put(http, name, **members), 422, code)
    assert (await http.get("/schedules")).json() == []


async def test_the_manners_of_every_path(http: httpx.AsyncClient) -> None:
    is_problem(await http.put("/schedules/x", content=b"{}"), 415, "FM415")
    is_problem(await http.put("/schedules/x?dry=1", json=NIGHTLY), 400, "FM401")
    is_problem(await http.get("/schedules?paused=1"), 400, "FM401")
    await put(http)
    for verb in ("pause", "resume", "run"):
        answer = await http.get(f"/schedules/nightly/{verb}")
        is_problem(answer, 405, "FM405")
        assert answer.headers["allow"] == "POST, OPTIONS"
        is_problem(await http.post(f"/schedules/nightly/{verb}", json={"a": 1}), 422, "FM422")
    answer = await http.post("/schedules/nightly", json=NIGHTLY)
    is_problem(answer, 405, "FM405")
    assert answer.headers["allow"] == "GET, PUT, DELETE, HEAD, OPTIONS"


@pytest.mark.parametrize("name", ["other", "a%20b", "%00"])
async def test_a_schedule_that_is_not_there_is_404(http: httpx.AsyncClient, name: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/run")):
        is_problem(await http.request(method, f"/schedules/{name}{path}"), 404, "FM417")


async def test_pause_and_resume(http: httpx.AsyncClient) -> None:
    await put(http)
    for _ in range(2):
        answer = await http.post("/schedules/nightly/pause")
        assert (answer.status_code, answer.json()["paused"], answer.json()["next_runs"]) == (200, True, [])
    answer = await http.post("/schedules/nightly/resume")
    assert (answer.status_code, answer.json()["paused"]) == (200, False)


async def test_run_hands_the_job_in_now(http: httpx.AsyncClient) -> None:
    await put(http, payload={"n": 1}, queue="q", tags=["a"], unique_key="k")
    await http.post("/schedules/nightly/pause")
    answer = await http.post("/schedules/nightly/run")
    job = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/jobs/{job['id']}")
    assert (job["status"], job["payload"], job["queue"], job["tags"]) == ("pending", {"n": 1}, "q", ["a"])
    assert job["run_at"] is None
    document = is_problem(await http.post("/schedules/nightly/run"), 409, "FM312")
    assert document["holder"] == job["id"]
    kept = (await http.get("/schedules/nightly")).json()
    assert (kept["last_job"], kept["fired"]) == (None, 0), "outside of its ticks"


async def test_one_that_is_dropped_is_gone_and_its_jobs_stay(http: httpx.AsyncClient) -> None:
    await put(http)
    job = (await http.post("/schedules/nightly/run")).headers["location"]
    answer = await http.delete("/schedules/nightly")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await http.get("/schedules")).json() == []
    assert (await http.get(job)).status_code == 200


async def test_secrets_are_not_shown(http: httpx.AsyncClient) -> None:
    answer = await put(http, payload={"token": "t0p", "n": 1})
    assert answer.json()["payload"] == {"token": "***", "n": 1}
    for path in ("/schedules/nightly", "/schedules"):
        assert "t0p" not in (await http.get(path)).text
    assert "t0p" not in (await http.post("/schedules/nightly/run")).text


async def test_what_code_declares_says_so(world: World, http: httpx.AsyncClient) -> None:
    schedule = Schedule("s", Cron("@daily"), Order("echo"))
    now = world.clock.now()
    await world.store.put_schedule(schedule, now, declared=True)
    assert (await http.get("/schedules/s")).json()["source"] == "code"
    await put(http, "s")
    document = (await http.get("/schedules/s")).json()
    assert (document["source"], document["overridden"]) == ("code", True)
    await world.store.undeclare_schedule("s")
    assert (await http.get("/schedules/s")).json()["source"] == "former code"


async def test_one_that_cannot_be_read_on_this_machine_is_shown_all_the_same(
    world: World, http: httpx.AsyncClient
) -> None:
    elsewhere = Schedule("s", Cron("@daily", "Mars/Olympus"), Order("echo"))
    await world.store.put_schedule(elsewhere, world.clock.now())
    await world.store.put_schedule(
        msgspec.structs.replace(elsewhere, name="t", cron=Cron("of the future")), world.clock.now()
    )
    one, other = (await http.get("/schedules")).json()
    assert (one["time_zone"], one["next_runs"]) == ("Mars/Olympus", [])
    assert (other["in_words"], other["next_runs"]) == (None, [])


async def test_next_runs_come_after_what_was_dealt_with(world: World, http: httpx.AsyncClient) -> None:
    await put(http, "s", cron="* * * * *", time_zone="UTC")
    [kept] = await world.store.schedules()
    tick = world.clock.now() + 60 * MICROS
    await world.store.fire(kept.schedule.firing(kept.seen_until, kept.changed_at, [tick], lambda: "x", tick), tick)
    document = (await http.get("/schedules/s")).json()
    assert (document["last_job"], document["fired"]) == ("x", 1)
    assert document["next_runs"][0] == "2026-01-01T00:02:00.000000Z"
