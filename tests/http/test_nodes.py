"""The paths below /nodes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

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
