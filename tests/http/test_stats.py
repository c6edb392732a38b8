"""GET /stats."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ferryman.domain.buckets import bucket_of
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.series import HOUR, MINUTE, Timing
from ferryman.http.wire import write_moment
from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio
SECOND = {bucket_of(1_000_000): 1}


async def minute(world: World, *timings: tuple[str, str]) -> int:
    """The end of the minute under way, which is sampled."""
    end = (world.clock.now() // MINUTE + 1) * MINUTE
    world.clock.advance((end - world.clock.now()) / 1_000_000)
    rows = [Timing(queue, type, end, SECOND, SECOND) for queue, type in timings]
    assert await world.store.sample(end, 1, rows)
    return end


async def made(http: httpx.AsyncClient, *queues: str, headers: dict[str, str] | None = None) -> None:
    for queue in queues:
        answer = await http.post("/jobs", json={"type": "echo", "queue": queue}, headers=headers)
        assert answer.status_code == 201, answer.text


async def asked(http: httpx.AsyncClient, headers: dict[str, str] | None = None, **query: Any) -> dict[str, Any]:
    answer = await http.get("/stats", params={key.rstrip("_"): each for key, each in query.items()}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_last_hour_by_minute_in_one_line(world: World, http: httpx.AsyncClient) -> None:
    await minute(world)
    await made(http, "a", "b")
    end = await minute(world, ("a", "echo"))
    await world.finish(Outcome(What.DONE, "1"))
    found = await asked(http)
    assert (found["step"], len(found["at"]), found["left_out"]) == (60, 60, 0)
    assert found["at"][-1] == found["since"][-1] == write_moment(end - MINUTE)
    assert found["since"][:58] == [None] * 58
    [line] = found["series"]
    assert (line["queue"], line["type"]) == (None, None)
    assert {name: column[-1] for name, column in line.items() if isinstance(column, list)} == {
        "enqueued": 2, "completed": 0, "failed": 0, "cancelled": 0, "retried": 0, "rescued": 0, "pending": 2,
    }  # fmt: skip
    assert line["enqueued"][0] is None
    assert line["run"]["count"] == [0] * 59 + [1]
    assert line["run"]["p99"][-1] == pytest.approx(1.0, rel=0.05)
    assert line["wait"]["p50"][0] is None


@pytest.mark.parametrize(
    ("by", "lines"),
    [
        ("none", [(None, None)]),
        ("queue", [("a", None), ("b", None)]),
        ("type", [(None, "echo")]),
        ("both", [("a", "echo"), ("b", "echo")]),
    ],
)
async def test_what_has_a_line_of_its_own(
    world: World, http: httpx.AsyncClient, by: str, lines: list[tuple[str | None, str | None]]
) -> None:
    await made(http, "a", "a", "b")
    await minute(world)
    found = await asked(http, by=by)
    assert [(each["queue"], each["type"]) for each in found["series"]] == lines


async def test_which_jobs_and_when(world: World, http: httpx.AsyncClient) -> None:
    await made(http, "a", "b")
    end = await minute(world)
    start, stop = write_moment(end - HOUR), write_moment(end)
    assert sum(each or 0 for each in (await asked(http, queue="a"))["series"][0]["enqueued"]) == 1
    assert sum(each or 0 for each in (await asked(http, type="other"))["series"][0]["enqueued"]) == 0
    assert (await asked(http, from_=start, to=stop, step=900))["step"] == 900
    assert (await asked(http, from_=start, to=stop, step=61))["step"] == 300


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "to=2026-13-01T00:00:00Z",
        "from=2999-01-01T00:00:00Z",
        "to=1999-01-01T00:00:00Z",
        "step=0",
        "step=86401",
        "step=1e3",
        "by=lane",
        "queue=a&queue=b",
        "type=a&type=b",
        "last=1h",
    ],
)
async def test_what_makes_no_sense_is_refused(http: httpx.AsyncClient, query: str) -> None:
    is_problem(await http.get(f"/stats?{query}"), 400, "FM401")


async def test_a_limited_key_sees_its_queues_alone(world: World, http: httpx.AsyncClient) -> None:
    limited = await world.key("read", queues=["a"])
    everything = await world.key("admin", name="admin")
    await made(http, "a", "b", headers=everything)
    await minute(world, ("a", "echo"), ("b", "echo"))
    [line] = (await asked(http, limited, by="queue"))["series"]
    assert (line["queue"], line["enqueued"][-1], line["run"]["count"][-1]) == ("a", 1, 1)
    assert (await asked(http, limited))["series"][0]["pending"][-1] == 1
    assert (await asked(http, limited, queue="a"))["series"][0]["pending"][-1] == 1
    is_problem(await http.get("/stats?queue=b", headers=limited), 403, "FM604")
    is_problem(await http.get("/stats", headers=await world.key("enqueue", name="c")), 403, "FM603")
