"""GET /jobs/{id}/progress and GET /jobs/{id}/logs."""

from __future__ import annotations

import httpx
import pytest

from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.report import Line, Progress, Report
from ferryman.http import wire
from tests.http.world import UNKNOWN, World, is_problem

pytestmark = pytest.mark.anyio
NOTHING = {"done": None, "total": None, "message": None, "fraction": None, "at": None, "claim": None}


async def started(world: World, http: httpx.AsyncClient) -> ClaimedJob:
    """A job whose run is under way."""
    await http.post("/jobs", json={"type": "echo"})
    [job] = await world.claim()
    return job


async def end(world: World, job: ClaimedJob, outcome: Outcome) -> None:
    assert world.node is not None
    now = world.clock.now()
    assert not (await world.store.finish(world.node, [decide(job, outcome, Run(7), now)], now)).fenced


async def say(world: World, job: ClaimedJob, progress: Progress | None, *messages: str, dropped: int = 0) -> None:
    assert world.node is not None
    lines = [Line(world.clock.now(), "info", "shop", each) for each in messages]
    report = Report(job.id, job.number, job.attempt, job.batch, 7, progress, 0, lines, dropped)
    assert not await world.store.report(world.node, [report])


async def test_how_far_a_job_is_is_null_until_it_says_so(world: World, http: httpx.AsyncClient) -> None:
    job = await started(world, http)
    answer = await http.get(f"/jobs/{job.id}/progress")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == NOTHING
    at = world.clock.now()
    await say(world, job, Progress(3, 4, "nearly", at))
    told = {"done": 3, "total": 4, "message": "nearly", "fraction": 0.75, "at": wire.write_moment(at), "claim": 1}
    assert (await http.get(f"/jobs/{job.id}/progress")).json() == told
    await end(world, job, Outcome(What.DONE, result="1"))
    assert (await http.get(f"/jobs/{job.id}/progress")).json() == told


@pytest.mark.parametrize(
    ("done", "total", "fraction"), [(1.5, None, None), (5, 0, None), (7, 5, 1.0), (0, 5, 0.0)], ids=str
)
async def test_a_fraction_is_from_0_to_1_where_there_is_a_total(
    world: World, http: httpx.AsyncClient, done: float, total: float | None, fraction: float | None
) -> None:
    job = await started(world, http)
    await say(world, job, Progress(done, total, "", 0))
    told = (await http.get(f"/jobs/{job.id}/progress")).json()
    assert (told["done"], told["total"], told["fraction"]) == (done, total, fraction)


async def test_lines_are_told_with_their_run(world: World, http: httpx.AsyncClient) -> None:
    job = await started(world, http)
    empty = await http.get(f"/jobs/{job.id}/logs")
    assert (empty.json(), empty.headers["ferryman-dropped-lines"]) == ([], "0")
    await say(world, job, None, "one", dropped=12)
    answer = await http.get(f"/jobs/{job.id}/logs")
    at = wire.write_moment(world.clock.now())
    line = {"at": at, "level": "info", "logger": "shop", "message": "one", "claim": 1, "attempt": 1}
    assert answer.json() == [line]
    assert answer.headers["ferryman-dropped-lines"] == "12"


async def test_pages_lead_on(world: World, http: httpx.AsyncClient) -> None:
    job = await started(world, http)
    await say(world, job, None, "one", "two", "three")
    await end(world, job, Outcome(What.RELEASED))
    [again] = await world.claim()
    await say(world, again, None, "four")
    found, path = [], f"/jobs/{job.id}/logs?limit=2"
    while path:
        answer = await http.get(path)
        found.append([each["message"] for each in answer.json()])
        path = answer.links.get("next", {}).get("url", "")
    assert found == [["one", "two"], ["three", "four"]]
    only = await http.get(f"/jobs/{job.id}/logs?claim=2")
    assert [each["message"] for each in only.json()] == ["four"]
    first = await http.get(f"/jobs/{job.id}/logs?claim=1&limit=1")
    assert "claim=1" in first.links["next"]["url"]
    assert (await http.get(f"/jobs/{job.id}/logs?claim=9")).json() == []


@pytest.mark.parametrize("what", ["progress", "logs"])
async def test_a_job_that_is_not_there_is_404(http: httpx.AsyncClient, what: str) -> None:
    is_problem(await http.get(f"/jobs/{UNKNOWN}/{what}"), 404, "FM404")


@pytest.mark.parametrize(
    "asked",
    [
        "progress?limit=1",
        "logs?claim=-1",
        "logs?claim=one",
        "logs?claim=2147483648",
        "logs?claim=1&claim=2",
        "logs?limit=0",
        "logs?cursor=1",
        "logs?cursor=1-2-3",
        "logs?cursor=1234567890-1",
        "logs?order=desc",
    ],
)
async def test_parameters_are_read_strictly(world: World, http: httpx.AsyncClient, asked: str) -> None:
    job = await started(world, http)
    is_problem(await http.get(f"/jobs/{job.id}/{asked}"), 400, "FM401")
