"""The dispatcher under limits and priorities: when it looks again, and how long age waits behind lower numbers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.limits import Again, Limit, Scope
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, pause, turns

DEFAULT = (Scope.QUEUE, "default")


class Crowd:
    """Jobs that last, and how many of them run at once."""

    def __init__(self, seconds: float) -> None:
        self.running = self.most = 0
        self.begun: list[float] = []
        self._seconds = seconds

    def handler(self, bench: list[Bench]) -> Callable[[], Coroutine[Any, Any, None]]:
        async def crowded() -> None:
            self.begun.append(bench[0].loop.time())
            self.running += 1
            self.most = max(self.most, self.running)
            await pause(self._seconds)
            self.running -= 1

        return crowded


async def noop() -> None:
    pass


# -- limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2])
def test_the_end_of_a_run_under_a_limit_makes_the_node_look_at_once(most: int) -> None:
    async def play() -> None:
        crowd, benches = Crowd(0.1), list[Bench]()
        async with Bench(crowd.handler(benches), workers=4) as bench:
            benches.append(bench)
            await bench.store.limit(*DEFAULT, Limit(most))
            await bench.enqueue("crowded", count=6)
            await bench.until_ended(6)
            assert crowd.most == most
            assert bench.loop.time() == pytest.approx(0.6 / most), "it does not wait for the poll"

    run_virtual(play())


def test_a_rate_wakes_the_node_at_its_next_token() -> None:
    async def play() -> None:
        crowd, benches = Crowd(0.0), list[Bench]()
        async with Bench(crowd.handler(benches), workers=4) as bench:
            benches.append(bench)
            await bench.store.limit(*DEFAULT, Limit(None, 10.0, 2))
            await bench.enqueue("crowded", count=5)
            await bench.until_ended(5)
            assert crowd.begun == pytest.approx([0.0, 0.0, 0.1, 0.2, 0.3], abs=0.001)
            assert len(bench.store.requests) < 15, "and not before"

    run_virtual(play())


def test_a_rate_that_nobody_waits_for_wakes_nobody() -> None:
    async def play() -> None:
        async with Bench(noop, workers=4) as bench:
            await bench.store.limit(*DEFAULT, Limit(None, 10.0, 2))
            await bench.enqueue("noop")
            await bench.until_ended(1)
            await turns()
            before = len(bench.store.requests)
            await pause(0.4)
            assert len(bench.store.requests) == before

    run_virtual(play())


def test_a_claim_that_a_limit_has_cut_looks_again_at_once() -> None:
    async def play() -> None:
        crowd, benches = Crowd(1.0), list[Bench]()
        async with Bench(crowd.handler(benches), workers=4) as bench:
            benches.append(bench)
            await turns()
            claim = bench.store.claim

            async def cut(request: ClaimRequest, now: int) -> Batch:
                """As PostgreSQL may: less than there is, because it cannot see at once what all limits leave."""
                batch = await claim(msgspec.structs.replace(request, limit=1), now)
                return msgspec.structs.replace(batch, again=Again(limited=True))

            bench.store.claim = cut  # type: ignore[method-assign]
            await bench.enqueue("crowded", count=4)
            await bench.until_ended(4)
            assert crowd.begun == pytest.approx([0.0] * 4)

    run_virtual(play())


def test_what_is_not_under_the_limit_does_not_wait_for_it() -> None:
    async def play() -> None:
        crowd, benches = Crowd(1.0), list[Bench]()
        async with Bench(crowd.handler(benches), noop, workers=4) as bench:
            benches.append(bench)
            await bench.store.limit(Scope.TYPE, "crowded", Limit(1))
            await bench.enqueue("crowded", count=3, priority=0)
            await bench.enqueue("noop", count=50)
            await bench.until_ended(50)
            assert bench.loop.time() < 0.5
            assert len(crowd.begun) == 1

    run_virtual(play())


def test_what_was_paused_is_claimed_when_it_is_resumed_at_the_latest_with_the_poll() -> None:
    async def play() -> None:
        async with Bench(noop, workers=4) as bench:
            await bench.store.pause(*DEFAULT, True)
            await bench.enqueue("noop", count=3)
            await pause(2.2)
            assert not bench.ended
            await bench.store.pause(*DEFAULT, False)
            await bench.until_ended(3)
            assert bench.loop.time() == pytest.approx(2.5)

    run_virtual(play())


# -- age -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("factor", [1, 2, 5])
def test_no_job_waits_longer_behind_lower_numbers_than_the_factor_says(factor: int, workers: int) -> None:
    order, largest = claimed_in_turn(factor, workers)
    for older in range(OLD):
        claims = order.index(f"old-{older}") + 1
        assert claims <= (factor + 1) * (older + 1) + largest
    assert order.index(f"old-{OLD - 1}") >= OLD * factor - largest, "lower numbers come first, though"


def test_without_a_factor_lower_numbers_always_come_first() -> None:
    order, _ = claimed_in_turn(0, 1)
    assert order[-OLD:] == [f"old-{older}" for older in range(OLD)]


OLD = 8
"""Jobs with a great number, each with all that came before as older ones before it."""
NEW = 100
"""Jobs with a small number, which came after them."""


def claimed_in_turn(factor: int, workers: int) -> tuple[list[str], int]:
    """The order in which one node claims them, and the largest claim that it asked for."""
    order: list[str] = []

    async def quick(name: str) -> None:
        await pause(0.001)

    async def play() -> int:
        bench = Bench(quick, workers=workers, capacity=workers, priority_factor=factor)
        claim = bench.store.claim

        async def noted(request: ClaimRequest, now: int) -> Batch:
            batch = await claim(request, now)
            order.extend(msgspec.json.decode(job.payload)["name"] for job in batch.jobs)
            return batch

        bench.store.claim = noted  # type: ignore[method-assign]
        for number in range(OLD):
            await bench.enqueue("quick", payload=f'{{"name": "old-{number}"}}', priority=9)
        for number in range(NEW):
            await bench.enqueue("quick", payload=f'{{"name": "new-{number}"}}', priority=0)
        async with bench:
            await bench.until_ended(OLD + NEW)
        return max(request.limit for request in bench.store.requests)

    largest = run_virtual(play())
    return order, largest
