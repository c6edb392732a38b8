"""GET /types."""

from __future__ import annotations

import httpx
import pytest

from ferryman import Ferryman, Secret
from ferryman.domain.job import AfterCrashes
from ferryman.domain.keyed import KeyedByArgument, gate_rule
from ferryman.store.protocol import Declaration, NodeInfo
from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio
RULE = {"concurrency": None, "rate": None, "burst": None, "share": None, "sequence": False, "on_failure": None}
PLAIN = {"queue": "default", "priority": 5, "max_attempts": 5, "secrets": [], "after_crashes": None, "key": None}
PLAIN |= {"arguments": None}


async def register(world: World, id: str, **declared: Declaration) -> int:
    info = NodeInfo(id, "host", 1, "0", frozenset(declared), None, 1, declared)
    return await world.store.register(info, world.clock.now())


async def test_each_type_is_told_with_what_it_declares_and_who_runs_it(world: World, http: httpx.AsyncClient) -> None:
    assert (await http.get("/types")).content == b"[]"
    keyed = KeyedByArgument(gate_rule(concurrency=2, rate="10/s", share=3), "customer")
    pay = Declaration(
        "money", 1, 2, frozenset({"token", "card"}), AfterCrashes(3, "poison"), keyed, '{"type":"object"}'
    )
    await register(world, "first", pay=pay, echo=Declaration())
    ended = await register(world, "second", pay=pay)
    await register(world, "third", pay=pay)
    await world.store.retire(ended, world.clock.now())
    answer = await http.get("/types")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    rule = RULE | {"concurrency": 2, "rate": 10.0, "burst": 10, "share": 3}
    assert answer.json() == [
        {"type": "echo"} | PLAIN | {"nodes": ["first"]},
        {
            "type": "pay",
            "queue": "money",
            "priority": 1,
            "max_attempts": 2,
            "secrets": ["card", "token"],
            "after_crashes": {"crashes": 3, "queue": "poison"},
            "key": {"argument": "customer", "rule": rule},
            "arguments": {"type": "object"},
            "nodes": ["first", "third"],
        },
    ]
    assert (await http.put("/keys/k", json=answer.json()[1]["key"]["rule"])).status_code == 200


async def test_a_sequence_by_a_function_has_no_argument(world: World, http: httpx.AsyncClient) -> None:
    post = Declaration(keyed=KeyedByArgument(gate_rule(sequence=True, on_failure="pass")))
    await register(world, "node", post=post)
    [told] = (await http.get("/types")).json()
    assert told["key"] == {"argument": None, "rule": RULE | {"sequence": True, "on_failure": "pass"}}
    assert (await http.put("/keys/k", json=told["key"]["rule"])).status_code == 200


def bill(customer: str, amount: int = 1, *, card: Secret[str]) -> None: ...


async def test_a_form_can_be_made_of_what_a_node_tells(world: World, http: httpx.AsyncClient) -> None:
    app = Ferryman("memory://")
    app.job(bill)
    await register(world, "node", **app.registry.declarations)
    [told] = (await http.get("/types")).json()
    assert list(told["arguments"]["properties"].items()) == [
        ("customer", {"type": "string"}),
        ("amount", {"type": "integer", "default": 1}),
        ("card", {"type": "string", "writeOnly": True}),
    ]
    assert told["arguments"]["required"] == ["customer", "card"]


async def test_a_type_stays_known_when_its_last_node_has_ended(world: World, http: httpx.AsyncClient) -> None:
    number = await register(world, "node", echo=Declaration())
    await world.store.retire(number, world.clock.now())
    assert (await http.get("/types")).json() == [{"type": "echo"} | PLAIN | {"nodes": []}]


async def test_manners(http: httpx.AsyncClient) -> None:
    is_problem(await http.get("/types?queue=a"), 400, "FM401")
    is_problem(await http.get("/types/echo"), 404, "FM440")
    assert (await http.get("/types/echo/pause")).status_code == 405
