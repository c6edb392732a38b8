"""Keys with rates: each claim spends a token, and a gate lets in whom one is there for."""

from __future__ import annotations

from ferryman.domain.job import MICROS
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import What
from ferryman.store.gating import Admitted
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.keys import RATE, keyed, standing


class Rating:
    """In any window of t seconds at most rate x t + burst claims."""

    async def test_a_burst_then_one_by_one(self, bench: Bench) -> None:
        ids = await keyed(bench, 6, RATE)
        assert await standing(bench, ids) == "pppwww"
        assert await bench.store.admit(bench.now, 10) == Admitted(0, bench.now + MICROS // 8)
        await bench.claim()
        bench.clock.advance(0.5)
        assert (await bench.store.admit(bench.now, 10)).count == 0  # it has only now seen that three were claimed
        bench.clock.advance(0.5)
        assert await bench.store.admit(bench.now, 10) == Admitted(1, bench.now + MICROS // 2)
        bench.clock.advance(0.5)
        assert (await bench.store.admit(bench.now, 10)).count == 1
        assert await standing(bench, ids) == "rrrppw"

    async def test_what_is_not_claimed_lets_no_tokens_pile_up(self, bench: Bench) -> None:
        ids = await keyed(bench, 10, RATE)
        bench.clock.advance(100)
        assert (await bench.store.admit(bench.now, 10)).count == 0
        assert await standing(bench, ids) == "ppp" + 7 * "w"

    async def test_each_claim_spends_a_token(self, bench: Bench) -> None:
        ids = await keyed(bench, 5, RATE)
        batch = await bench.claim()
        assert await bench.store.release(await bench.home(), batch.id, bench.now) == 3
        assert await standing(bench, ids) == "wwwww"
        assert (await bench.claim()).jobs == []
        bench.clock.advance(1)
        assert (await bench.store.admit(bench.now, 10)).count == 2
        assert await standing(bench, ids) == "ppwww"  # those that came back stand first, in their order

    async def test_an_end_lets_in_whom_a_token_is_there_for(self, bench: Bench) -> None:
        ids = await keyed(bench, 6, RATE)
        jobs = (await bench.claim()).jobs
        await bench.finish(jobs[0])
        bench.clock.advance(1)
        await bench.finish(jobs[1])
        assert await standing(bench, ids) == "ccrppw"

    async def test_no_window_has_more_claims_than_it_may(self, bench: Bench) -> None:
        rule = GateRule(rate=10.0, burst=4)
        await bench.insert(*[bench.job(key="k", gate=rule) for _ in range(60)])
        times: list[int] = []
        for step in range(100):
            bench.clock.advance(0.03)
            if step % 3:
                await bench.store.admit(bench.now, 10)
            if step % 7 == 0:
                times += [bench.now for _ in (await bench.claim()).jobs]
        for first, began in enumerate(times):
            for last in range(first, len(times)):
                assert last - first + 1 <= rule.burst + 10.0 * (times[last] - began) / MICROS + 1e-6
        assert len(times) >= 25

    async def test_a_new_rate_gives_no_tokens(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, RATE)
        await bench.claim()
        ids += await keyed(bench, 3, GateRule(rate=2.0, burst=30))
        assert await standing(bench, ids) == "rrrwww"
        await bench.store.set_key("k", GateRule(), bench.now)
        assert await standing(bench, ids) == "rrrppp"

    async def test_a_rate_and_slots(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, GateRule(rate=100.0, burst=10, concurrency=1))
        assert await standing(bench, ids) == "pww"
        assert (await bench.store.admit(bench.now, 10)).next_due is None
        await bench.finish(await bench.claim_one())
        assert await standing(bench, ids) == "cpw"

    async def test_a_retry_spends_a_token(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, RATE)
        for job in (await bench.claim()).jobs:
            await bench.finish(job, What.FAILED, retryable=False)
        await bench.store.retry(ids[0], bench.now)
        assert await standing(bench, ids) == "wff"
