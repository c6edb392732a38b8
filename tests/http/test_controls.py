"""PATCH /jobs/{id}, POST /jobs/retry, POST /jobs/purge."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ferryman.domain.outcome import Outcome, What
from tests.http.world import UNKNOWN, World, is_problem

pytestmark = pytest.mark.anyio
DONE = {"dry_run": False, "complete": True}
"""It was no dry run."""


async def create(http: httpx.AsyncClient, **members: object) -> str:
    found: str = (await http.post("/jobs", json={"type": "echo"} | members)).headers["location"]
    return found


async def fail(world: World, http: httpx.AsyncClient, **members: object) -> str:
    job = await create(http, max_attempts=1, **members)
    await world.finish(Outcome(What.FAILED))
    return job


async def status(http: httpx.AsyncClient, job: str) -> str:
    found: str = (await http.get(job)).json()["status"]
    return found


# -- PATCH ---------------------------------------------------------------------------------------


async def test_a_job_that_waits_is_changed(http: httpx.AsyncClient) -> None:
    job = await create(http)
    answer = await http.patch(job, json={"queue": "bulk", "priority": 9, "run_at": "2030-01-31T12:00:00Z"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["queue"], told["priority"], told["status"]) == ("bulk", 9, "scheduled")
    assert told["run_at"] == "2030-01-31T12:00:00.000000Z"
    assert (await http.get(job)).json() == told
    answer = await http.patch(job, json={"delay": 0, "priority": None})
    assert (answer.json()["status"], answer.json()["priority"]) == ("pending", 9)


async def test_a_job_that_runs_or_has_ended_is_409(world: World, http: httpx.AsyncClient) -> None:
    job = await create(http)
    await world.claim()
    assert "processing" in is_problem(await http.patch(job, json={"priority": 1}), 409, "FM409")["detail"]


async def test_a_job_that_is_not_there_is_404(http: httpx.AsyncClient) -> None:
    is_problem(await http.patch(f"/jobs/{UNKNOWN}", json={"priority": 1}), 404, "FM404")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, [""]),
        ({"priority": None}, [""]),
        ({"priority": 10, "queue": "a b", "status": "pending"}, ["/priority", "/queue", "/status"]),
        ({"delay": 5, "run_at": "2030-01-31T12:00:00Z"}, ["/delay"]),
        ({"run_at": 5}, ["/run_at"]),
        ([], [""]),
    ],
)
async def test_what_is_no_change_is_422(http: httpx.AsyncClient, body: Any, pointers: list[str]) -> None:
    job = await create(http)
    document = is_problem(await http.patch(job, json=body), 422, "FM422")
    assert [each["pointer"] for each in document["errors"]] == pointers
    assert await status(http, job) == "pending"


async def test_a_time_beyond_ten_years_is_422(http: httpx.AsyncClient) -> None:
    job = await create(http)
    is_problem(await http.patch(job, json={"run_at": "2999-01-31T12:00:00Z"}), 422, "FM311")


# -- retry ---------------------------------------------------------------------------------------


async def test_failed_jobs_are_sent_back_at_a_rate(world: World, http: httpx.AsyncClient) -> None:
    jobs = [await fail(world, http) for _ in range(3)]
    other = await fail(world, http, queue="other")
    answer = await http.post(
        "/jobs/retry", json={"filter": {"queue": "default", "type": ["echo", "x"]}, "rate": "120/m"}
    )
    assert answer.status_code == 200
    due = (await http.get(jobs[2])).json()["run_at"]
    assert answer.json() == {"retried": 3, "unique_key_taken": 0, "last_run_at": due, **DONE}
    assert [await status(http, job) for job in (*jobs, other)] == ["pending", "scheduled", "scheduled", "failed"]


async def test_without_a_rate_all_are_pending(world: World, http: httpx.AsyncClient) -> None:
    job = await fail(world, http, tags=["t"])
    cancelled = await create(http, tags=["t"])
    await http.post(f"{cancelled}/cancel")
    answer = await http.post("/jobs/retry", json={"filter": {"tag": "t", "status": ["failed", "cancelled"]}})
    assert answer.json() == {"retried": 2, "unique_key_taken": 0, "last_run_at": None, **DONE}
    assert await status(http, job) == "pending"


async def test_a_filter_may_be_a_text(world: World, http: httpx.AsyncClient) -> None:
    jobs = [await fail(world, http, payload={"n": n}) for n in range(3)]
    answer = await http.post("/jobs/retry", json={"filter": "payload.n:1,2 -payload.n:2"})
    assert answer.json()["retried"] == 1
    assert [await status(http, job) for job in jobs] == ["failed", "pending", "failed"]
    answer = await http.post("/jobs/retry", json={"filter": "status:failed,cancelled -status:cancelled error:fm"})
    assert answer.json()["retried"] == 0
    answer = await http.post("/jobs/retry", json={"filter": "-status:cancelled type:e*"})
    assert answer.json()["retried"] == 2


async def test_a_dry_run_counts_and_changes_nothing(world: World, http: httpx.AsyncClient) -> None:
    failed, other = await fail(world, http), await fail(world, http, queue="other")
    waiting = await create(http, queue="other")
    answer = await http.post("/jobs/retry", json={"filter": "type:echo", "dry_run": True, "rate": 1})
    would = {"dry_run": True, "complete": True}
    assert answer.json() == {"retried": 2, "unique_key_taken": 0, "last_run_at": None, **would}
    answer = await http.post("/jobs/purge", json={"filter": "queue:other", "confirm": "other", "dry_run": True})
    assert answer.json() == {"cancelled": 1, **would}
    assert [await status(http, job) for job in (failed, other, waiting)] == ["failed", "failed", "pending"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/filter"),
        ({"filter": ""}, "/filter"),
        ({"filter": " "}, "/filter"),
        ({"filter": "statsu:failed"}, "/filter"),
        ({"filter": "status:pending"}, "/filter"),
        ({"filter": 5}, "/filter"),
        ({"filter": "type:a", "dry_run": "yes"}, "/dry_run"),
        ({"filter": None}, "/filter"),
        ({"filter": {}}, "/filter"),
        ({"filter": []}, "/filter"),
        ({"filter": {"status": "pending"}}, "/filter/status"),
        ({"filter": {"queue": []}}, "/filter/queue"),
        ({"filter": {"tag": ["a", 5]}}, "/filter/tag"),
        ({"filter": {"cursor": "x"}}, "/filter/cursor"),
        ({"filter": {"queue": "a"}, "rate": 0}, "/rate"),
        ({"filter": {"queue": "a"}, "delay": 1}, "/delay"),
    ],
)
async def test_what_does_not_say_which_to_retry_is_422(http: httpx.AsyncClient, body: Any, pointer: str) -> None:
    document = is_problem(await http.post("/jobs/retry", json=body), 422, "FM422")
    assert document["errors"][0]["pointer"] == pointer


# -- purge ---------------------------------------------------------------------------------------


async def test_a_purge_cancels_what_waits_in_a_queue(world: World, http: httpx.AsyncClient) -> None:
    running = await create(http)
    await world.claim()
    jobs = [await create(http), await create(http, delay=60)]
    other = await create(http, queue="other")
    answer = await http.post("/jobs/purge", json={"filter": {"queue": "default"}, "confirm": "default"})
    assert (answer.status_code, answer.json()) == (200, {"cancelled": 2, **DONE})
    told = [await status(http, job) for job in (running, *jobs, other)]
    assert told == ["processing", "cancelled", "cancelled", "pending"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"confirm": "default"}, "/filter"),
        ({"filter": {"queue": "default"}}, "/confirm"),
        ({"filter": {"queue": "default"}, "confirm": "other"}, "/confirm"),
        ({"filter": {"queue": ["default", "other"]}, "confirm": "default"}, "/filter/queue"),
        ({"filter": {"type": "echo"}, "confirm": "default"}, "/filter/queue"),
        ({"filter": "type:echo", "confirm": "default"}, "/filter"),
        ({"filter": "queue:default,other", "confirm": "default"}, "/filter"),
        ({"filter": "-queue:default", "confirm": "default"}, "/filter"),
        ({"filter": "queue:default status:failed", "confirm": "default"}, "/filter"),
        ({"filter": "queue:default tag:", "confirm": "default"}, "/filter"),
        ({"filter": "queue:other", "confirm": "default"}, "/confirm"),
        ({"filter": {"queue": "default", "status": "processing"}, "confirm": "default"}, "/filter/status"),
        ({"filter": {"queue": "default"}, "confirm": "default", "yes": True}, "/yes"),
    ],
)
async def test_what_is_not_confirmed_is_not_purged(http: httpx.AsyncClient, body: Any, pointer: str) -> None:
    job = await create(http)
    document = is_problem(await http.post("/jobs/purge", json=body), 422, "FM422")
    assert document["errors"][0]["pointer"] == pointer
    assert await status(http, job) == "pending"


# -- manners -------------------------------------------------------------------------------------


async def test_bodies_are_json_and_there_are_no_parameters(http: httpx.AsyncClient) -> None:
    job = await create(http)
    for method, path in (("PATCH", job), ("POST", "/jobs/retry"), ("POST", "/jobs/purge")):
        is_problem(await http.request(method, path, content=b"{}"), 415, "FM415")
        headers = {"content-type": "application/json"}
        is_problem(await http.request(method, path, content=b"x", headers=headers), 400, "FM400")
        is_problem(await http.request(method, f"{path}?a=b", json={}), 400, "FM401")


async def test_the_paths_take_nothing_but_post(http: httpx.AsyncClient) -> None:
    for path in ("/jobs/retry", "/jobs/purge"):
        is_problem(await http.get(path), 405, "FM405")
