"""GET /jobs/{id}/attempts."""

from __future__ import annotations

import json

import httpx
import pytest

from ferryman import Ferryman, Secret
from ferryman.domain.error_groups import group_of
from ferryman.domain.errors import JobFailed
from ferryman.domain.job import Attempt, JobError
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.state import Status
from ferryman.embed import running
from ferryman.http import wire
from ferryman.http.attempts import attempts_json
from tests.http.world import UNKNOWN, World, is_problem, talk

pytestmark = pytest.mark.anyio
ERROR = JobError("FM501", "ValueError", "no way", "Traceback:\n  line 1\n")
TOKEN = "hunter2"


async def create(http: httpx.AsyncClient) -> str:
    found: str = (await http.post("/jobs", json={"type": "echo"})).json()["id"]
    return found


async def test_each_run_is_told_with_its_error_oldest_first(world: World, http: httpx.AsyncClient) -> None:
    id = await create(http)
    assert (await http.get(f"/jobs/{id}/attempts")).content == b"[]"
    failed_at = wire.write_moment(world.clock.now())
    await world.finish(Outcome(What.FAILED, error=ERROR, retryable=False))
    world.clock.advance(5)
    await http.post(f"/jobs/{id}/retry")
    answer = await http.get(f"/jobs/{id}/attempts")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == [
        {
            "claim": 1,
            "what": "failed",
            "status": "failed",
            "attempt": 1,
            "error": {
                "code": "FM501",
                "type": "ValueError",
                "message": "no way",
                "traceback": ERROR.traceback,
                "frame": None,
                "group": group_of(ERROR).id,
            },
            "started_at": failed_at,
            "finished_at": failed_at,
            "worker_id": "node-1/worker-1",
            "node": "node-1",
        },
        {
            "claim": 2,
            "what": "retried",
            "status": "pending",
            "attempt": 0,
            "error": None,
            "started_at": None,
            "finished_at": wire.write_moment(world.clock.now()),
            "worker_id": None,
            "node": None,
        },
    ]


@pytest.mark.parametrize("count", [0, 1, wire.PIECE, wire.PIECE + 1])
def test_many_runs_are_written_in_pieces(count: int) -> None:
    run = Attempt(
        number=1,
        what="snoozed",
        status=Status.SCHEDULED,
        attempt=0,
        error=JobError("FM501", "ValueError", "no"),
        started_at=None,
        finished_at=0,
        worker_id=None,
        node=None,
    )
    pieces = list(attempts_json([run] * count))
    found = json.loads(b"".join(pieces))
    assert len(found) == count
    assert len(pieces) == 1 + -(-count // wire.PIECE)
    assert all(each["error"]["traceback"] is None for each in found)


async def test_who_is_not_there_has_no_attempts(http: httpx.AsyncClient) -> None:
    for id in (UNKNOWN, "xyz"):
        is_problem(await http.get(f"/jobs/{id}/attempts"), 404, "FM404")
    id = await create(http)
    is_problem(await http.get(f"/jobs/{id}/attempts?limit=1"), 400, "FM401")
    assert (await http.get(f"/jobs/{id.upper()}/attempts")).status_code == 200


async def test_a_secret_that_a_handler_raised_is_hidden_in_its_error() -> None:
    app = Ferryman("memory://")

    @app.job(max_attempts=1)
    async def log_in(password: Secret[str]) -> None:
        raise ValueError(f"not with {password.reveal()}")

    async with running(app) as server, talk(server.asgi) as http:
        handle = await log_in.aenqueue(Secret(TOKEN))
        with pytest.raises(JobFailed):
            await handle.aresult(60)
        answer = await http.get(f"/jobs/{handle.id}/attempts")
        [attempt] = answer.json()
        assert attempt["error"]["message"] == "not with ***"
        assert "not with ***" in attempt["error"]["traceback"]
        assert TOKEN not in answer.text
