"""Races at one gate: its slots, its tokens and its order hold, whoever comes at the same moment."""

from __future__ import annotations

import asyncio

from ferryman.domain.outcome import What
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.keys import RATE, SEQUENCE, TWO, keyed, standing


class Crowding:
    """Whoever comes to one gate at the same moment over two connections."""

    async def test_no_more_are_let_in_than_there_is_room_for(self, bench: Bench) -> None:
        other = await bench.harness.another()
        for turn in range(4):
            jobs = [bench.job(key=f"k{turn}", gate=TWO) for _ in range(8)]
            await asyncio.gather(
                *(([bench.store, other][n % 2]).insert([job], bench.now) for n, job in enumerate(jobs))
            )
            assert sorted(await standing(bench, [job.id for job in jobs])) == list("ppwwwwww")

    async def test_every_slot_that_is_freed_is_taken(self, bench: Bench) -> None:
        other, node = await bench.harness.another(), await bench.home()
        for turn in range(4):
            ids = await keyed(bench, 6, TWO, f"k{turn}")
            first, second = await bench.claim_one(), await bench.claim_one()
            await asyncio.gather(
                bench.store.finish(node, [bench.ended(first, What.DONE)], bench.now),
                other.finish(node, [bench.ended(second, What.DONE)], bench.now),
            )
            assert sorted(await standing(bench, ids)) == list("ccppww")
            for job in (await bench.claim()).jobs:
                await bench.finish(job)
            for job in (await bench.claim()).jobs:
                await bench.finish(job)

    async def test_a_cancel_beside_an_end_lets_one_in(self, bench: Bench) -> None:
        other, node = await bench.harness.another(), await bench.home()
        for turn in range(4):
            ids = await keyed(bench, 3, SEQUENCE, f"k{turn}")
            job = await bench.claim_one()
            await asyncio.gather(
                bench.store.finish(node, [bench.ended(job, What.DONE)], bench.now), other.cancel(ids[1], bench.now)
            )
            assert await standing(bench, ids) == "cxp"
            await bench.finish(await bench.claim_one())

    async def test_a_token_is_spent_once(self, bench: Bench) -> None:
        other = await bench.harness.another()
        ids = await keyed(bench, 9, RATE)
        await bench.claim()
        bench.clock.advance(0.5)
        await bench.store.admit(bench.now, 10)  # it sees that all of the burst were claimed
        bench.clock.advance(1)
        await asyncio.gather(*(store.admit(bench.now, 10) for store in (bench.store, other, bench.store, other)))
        assert await standing(bench, ids) == "rrrppwwww"

    async def test_a_retry_beside_a_pass_keeps_the_order_or_gives_it_up(self, bench: Bench) -> None:
        other = await bench.harness.another()
        for turn in range(4):
            ids = await keyed(bench, 2, SEQUENCE, f"k{turn}")
            await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
            both = [bench.store.retry(ids[0], bench.now), other.pass_key(f"k{turn}", bench.now)]
            await asyncio.gather(*(both if turn % 2 else reversed(both)))
            assert await standing(bench, ids) in ("pw", "wp")
            await bench.finish(await bench.claim_one())
            await bench.finish(await bench.claim_one())
