"""What the tests of the dispatcher share: handlers, and what of a node they look at."""

from __future__ import annotations

from typing import Any

from ferryman.domain.claim import ClaimRequest
from ferryman.domain.job import NewJob
from ferryman.engine.dispatcher import Dispatcher
from ferryman.engine.incarnation import Incarnation
from tests.engine.world import Bench, pause


async def noop() -> None:
    pass


async def second() -> None:
    await pause(1.0)


async def quick() -> None:
    await pause(0.001)


def life_of(bench: Bench) -> Incarnation:
    assert bench.node._life is not None
    return bench.node._life


def dispatcher_of(bench: Bench) -> Dispatcher:
    return life_of(bench).dispatcher


def new_jobs(bench: Bench, type: str, count: int = 1, **more: Any) -> list[NewJob]:
    now = bench.clock.now()
    return [NewJob(bench.ids.mint(now), type, "{}", now, **more) for _ in range(count)]


def a_claim(bench: Bench, node: int, type: str) -> ClaimRequest:
    return ClaimRequest(node, bench.ids.number(), frozenset({type}), None, 10, 10, alone=True)
