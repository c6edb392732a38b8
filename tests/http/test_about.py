"""GET /about."""

from __future__ import annotations

import os

import httpx
import msgspec
import pytest

from ferryman.domain.job import MICROS
from ferryman.domain.nodes import Condition
from ferryman.http import wire
from ferryman.http.openness import Open
from ferryman.store.describing import Described
from ferryman.store.protocol import NodeInfo
from ferryman.version import VERSION
from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio
SAFE = Described("postgresql", "host:5432, database d, user u", "16.1", "0014_wishes", 10, {})


async def node(world: World, id: str, *, types: frozenset[str] = frozenset({"echo"}), version: str = "0.1") -> int:
    return await world.store.register(NodeInfo(id, "host", 7, version, types, None, 3), world.clock.now())


def over(world: World, monkeypatch: pytest.MonkeyPatch, said: Described) -> None:
    """The store says this of itself."""

    async def describe() -> Described:
        return said

    monkeypatch.setattr(world.store, "describe", describe)


async def codes(http: httpx.AsyncClient) -> list[str]:
    return [each["code"] for each in (await http.get("/about")).json()["warnings"]]


async def test_it_says_which_process_answers_on_which_store(world: World, http: httpx.AsyncClient) -> None:
    started = wire.write_moment(world.clock.now())
    world.clock.advance(60)
    told = (await http.get("/about")).json()
    assert (told["version"], told["pid"], told["node"], told["workers"]) == (VERSION, os.getpid(), "node-1", 10)
    assert (told["started_at"], told["open"]) == (started, True)
    assert told["store"] == {
        "kind": "memory",
        "place": "memory://",
        "version": None,
        "migration": None,
        "size_bytes": None,
    }
    assert [each["code"] for each in told["warnings"]] == ["open-to-all", "memory"]
    is_problem(await http.get("/about?all=1"), 400, "FM401")


async def test_who_is_asked_for_a_key_is_not_warned_that_nobody_is(world: World, http: httpx.AsyncClient) -> None:
    world.open_to = Open.HERE
    here = (await http.get("/about", headers={"host": "localhost"})).json()
    assert (here["open"], [each["code"] for each in here["warnings"]]) == (True, ["memory"])
    key = await world.key("read")
    told = (await http.get("/about", headers=key)).json()
    assert (told["open"], [each["code"] for each in told["warnings"]]) == (False, ["memory"])


async def test_jobs_that_nobody_will_run_are_a_warning(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.open_to = Open.HERE
    http.headers["host"] = "localhost"
    over(world, monkeypatch, SAFE)
    await node(world, "a")
    assert await codes(http) == []
    pending = {"echo": 3, **{f"type-{each}": 1 for each in range(6)}}
    over(world, monkeypatch, Described("postgresql", "p", "16.1", "0014", 1, pending))
    [warned] = (await http.get("/about")).json()["warnings"]
    assert warned["code"] == "no-handler"
    assert "type-0, type-1, type-2, type-3, type-4 and 1 more, of which 6 jobs are pending" in warned["message"]
    (row,) = world.store._tables.nodes.values()
    row.live = False
    row.ended_at = world.clock.now()
    assert await codes(http) == ["no-node"]


async def test_a_node_that_does_not_say_what_it_has_handlers_for_may_have_one(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.open_to = Open.HERE
    http.headers["host"] = "localhost"
    over(world, monkeypatch, Described("postgresql", "p", "16.1", "0014", 1, {"other": 1}))
    await node(world, "a")
    (row,) = world.store._tables.nodes.values()
    row.info = msgspec.structs.replace(row.info, types=None)
    assert await codes(http) == []


async def test_nodes_that_differ_or_say_nothing_are_a_warning(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.open_to = Open.HERE
    http.headers["host"] = "localhost"
    over(world, monkeypatch, SAFE)
    first = await node(world, "a")
    await world.store.check_in(first, Condition(world.clock.now(), None, quiet=False, busy=0))
    world.clock.advance(10)
    assert await codes(http) == []
    world.clock.advance(1)
    assert await codes(http) == ["silent-node"]
    await node(world, "b", version="0.2")
    assert await codes(http) == ["silent-node", "versions"]


@pytest.mark.parametrize(
    ("version", "nodes", "warned"), [("3.45.1", 2, True), ("3.45.1", 1, False), ("3.51.3", 2, False)]
)
async def test_an_old_sqlite_is_one_where_several_nodes_write(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, version: str, nodes: int, *, warned: bool
) -> None:
    world.open_to = Open.HERE
    http.headers["host"] = "localhost"
    over(world, monkeypatch, Described("sqlite", "jobs.db", version, "0015_wishes", 10, {}))
    for each in range(nodes):
        await node(world, str(each))
    assert await codes(http) == (["old-sqlite"] if warned else [])


@pytest.mark.parametrize(("seconds", "says"), [(2, None), (3, "3.0 s ahead of"), (-3, "3.0 s behind")])
async def test_a_clock_that_differs_is_a_warning(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, seconds: int, says: str | None
) -> None:
    world.open_to = Open.HERE
    http.headers["host"] = "localhost"
    clock = world.clock.now() + seconds * MICROS
    over(world, monkeypatch, Described("postgresql", "p", "16.1", "0014", 1, {}, clock))
    warnings = (await http.get("/about")).json()["warnings"]
    assert [each["code"] for each in warnings] == (["clock-skew"] if says else [])
    assert all((says or "") in each["message"] for each in warnings)
