"""The paths below /nodes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ferryman.domain.nodes import Condition, RunningJob
from ferryman.http import wire
from ferryman.http.nodes import node_of
from ferryman.store.protocol import NodeInfo, NodeStatus
from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio


async def register(world: World, id: str, queues: frozenset[str] | None = None) -> int:
    info = NodeInfo(id, "host", 7, "0.1", frozenset({"echo", "a"}), queues, 3)
    return await world.store.register(info, world.clock.now())


async def test_nodes_are_listed_oldest_first_with_all_that_is_known(world: World, http: httpx.AsyncClient) -> None:
    assert (await http.get("/nodes")).content == b"[]"
    started = wire.write_moment(world.clock.now())
    first = await register(world, "zz")
    world.clock.advance(60)
    await register(world, "aa", frozenset({"q", "p"}))
    await world.store.retire(first, world.clock.now())
    now = wire.write_moment(world.clock.now())
    zz: dict[str, Any] = {
        "id": "zz",
        "host": "host",
        "pid": 7,
        "version": "0.1",
        "workers": 3,
        "queues": None,
        "types": ["a", "echo"],
        "started_at": started,
        "ended_at": now,
        "live": False,
        "claimed": 0,
        "beat_at": None,
        "rss_bytes": None,
        "quiet": None,
        "busy": None,
        "wish": None,
    }
    aa = zz | {"id": "aa", "queues": ["p", "q"], "started_at": now, "ended_at": None, "live": True}
    answer = await http.get("/nodes")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == [zz, aa]
    assert (await http.get("/nodes/aa")).json() == aa


async def test_a_node_says_how_many_jobs_it_holds(world: World, http: httpx.AsyncClient) -> None:
    for _ in range(2):
        await http.post("/jobs", json={"type": "echo"})
    await world.claim()
    assert (await http.get("/nodes/node-1")).json()["claimed"] == 2


async def test_a_node_says_how_it_is(world: World, http: httpx.AsyncClient) -> None:
    node = await register(world, "node-1")
    at = wire.write_moment(world.clock.now())
    await world.store.check_in(node, Condition(world.clock.now(), 4096, quiet=True, busy=2))
    told = (await http.get("/nodes/node-1")).json()
    assert [told[name] for name in ("beat_at", "rss_bytes", "quiet", "busy")] == [at, 4096, True, 2]
    await world.store.retire(node, world.clock.now())
    told = (await http.get("/nodes/node-1")).json()
    assert [told[name] for name in ("beat_at", "rss_bytes", "quiet", "busy")] == [None] * 4


async def test_what_a_node_holds_is_listed_with_the_workers_that_run_it(world: World, http: httpx.AsyncClient) -> None:
    is_problem(await http.get("/nodes/node-1/jobs"), 404, "FM416")
    ids = [(await http.post("/jobs", json={"type": "echo"})).json()["id"] for _ in range(3)]
    claimed_at = world.clock.now()
    await world.claim()
    node = next(iter(world.store._tables.nodes))
    world.clock.advance(1)
    started_at = world.clock.now()
    running = (
        RunningJob(ids[0], 1, "node-1/worker-1", started_at),
        RunningJob(ids[1], 1, "node-1/worker-2", None),
        RunningJob(ids[2], 7, "node-1/worker-3", started_at),  # another run of the same job
    )
    await world.store.check_in(node, Condition(world.clock.now(), None, quiet=False, busy=3, running=running))
    jobs = (await http.get("/nodes/node-1/jobs")).json()
    waits = wire.write_moment(claimed_at)
    first = {"id": ids[0], "type": "echo", "queue": "default", "worker_id": "node-1/worker-1", "attempt": 1, "claim": 1}
    assert jobs[0] == first | {"started_at": wire.write_moment(started_at)}
    assert [(each["id"], each["worker_id"], each["started_at"]) for each in jobs[1:]] == [
        (ids[1], "node-1/worker-2", waits),
        (ids[2], None, waits),
    ]
    is_problem(await http.get("/nodes/node-1/jobs?limit=1"), 400, "FM401")


@pytest.mark.parametrize("wish", ["quiet", "resume", "stop"])
async def test_a_node_is_told_what_to_do(world: World, http: httpx.AsyncClient, wish: str) -> None:
    await register(world, "node-1")
    answer = await http.post(f"/nodes/node-1/{wish}")
    assert (answer.status_code, answer.json()["wish"]) == (202, wish)
    assert answer.json() == (await http.get("/nodes/node-1")).json()
    [deed] = (await http.get("/audit")).json()
    assert (deed["action"], deed["target"], deed["actor"]) == (f"node.{wish}", "node-1", "http")


async def test_who_is_not_there_or_has_ended_is_told_nothing(world: World, http: httpx.AsyncClient) -> None:
    is_problem(await http.post("/nodes/node-1/stop"), 404, "FM416")
    await world.store.retire(await register(world, "node-1"), world.clock.now())
    is_problem(await http.post("/nodes/node-1/stop"), 409, "FM419")
    is_problem(await http.post("/nodes/node-1/stop?now=1"), 400, "FM401")
    is_problem(await http.post("/nodes/node-1/stop", json={"at": 1}), 422, "FM422")
    assert (await http.get("/audit")).json() == []


def test_types_are_null_where_a_version_does_not_say() -> None:
    assert node_of(NodeStatus("n", "host", 1, "0", None, 1, 0, None, True, 0)).types is None


async def test_who_is_not_there_is_not_shown(world: World, http: httpx.AsyncClient) -> None:
    await register(world, "node-1")
    told = is_problem(await http.get("/nodes/node-2"), 404, "FM416")
    assert "Did you mean node-1?" in told["detail"]
    is_problem(await http.get("/nodes?live=1"), 400, "FM401")
    is_problem(await http.get("/nodes/node-1?live=1"), 400, "FM401")
