"""Keys with shares: their jobs are drawn in turns when a claim asks, however many came before whom."""

from __future__ import annotations

import asyncio
from typing import Any

from ferryman.domain.gates import EARLY
from ferryman.domain.job import MICROS
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.domain.state import Status
from ferryman.store.gating import Admitted
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.keys import at, keyed, standing

EQUAL = GateRule(share=1)
DOUBLE = GateRule(share=2)
ONE = GateRule(share=1, concurrency=1)
ALL = 1000


async def order(bench: Bench, count: int, limit: int = 1, **options: Any) -> str:
    """Claim so many jobs, `limit` at a time. Returns the first letters of their keys in the order of the claims."""
    letters = ""
    while len(letters) < count:
        jobs = (await bench.claim(limit=limit, idle=limit, **options)).jobs
        assert jobs, f"after {letters} there is nobody to claim"
        letters += "".join(job.key[0] if job.key else "-" for job in jobs)
    return letters


class Sharing:
    """Whose turn it is."""

    async def test_a_small_key_does_not_wait_for_a_large_one(self, bench: Bench) -> None:
        await keyed(bench, 20, EQUAL, "a")
        await keyed(bench, 3, EQUAL, "b")
        assert await order(bench, 8) == "abababaa"

    async def test_one_that_comes_later_waits_for_what_is_ready_and_no_longer(self, bench: Bench) -> None:
        await keyed(bench, 20, EQUAL, "a")
        assert await order(bench, 4, limit=4) == "aaaa"
        await keyed(bench, 3, EQUAL, "b")
        assert await order(bench, 6) == "bababa"

    async def test_between_two_of_a_key_comes_one_of_the_other_however_many_are_claimed_at_once(
        self, bench: Bench
    ) -> None:
        await keyed(bench, 30, EQUAL, "a")
        await keyed(bench, 9, EQUAL, "b")
        await keyed(bench, 9, EQUAL, "c")
        assert await order(bench, 21, limit=7) == "abc" * 7

    async def test_shares_are_weights(self, bench: Bench) -> None:
        await keyed(bench, 20, EQUAL, "a")
        await keyed(bench, 20, DOUBLE, "b")
        letters = await order(bench, 18, limit=3)
        assert letters.count("b") == 12
        assert "bbb" not in letters
        assert "aa" not in letters

    async def test_one_that_was_away_has_saved_nothing_up(self, bench: Bench) -> None:
        await keyed(bench, 1, EQUAL, "b")
        await keyed(bench, 30, EQUAL, "a")
        assert await order(bench, 10) == "ab" + "a" * 8
        await keyed(bench, 10, EQUAL, "b")
        assert await order(bench, 6) in ("bababa", "ababab")

    async def test_one_that_comes_later_is_drawn_once_before_the_next_turn_of_another(self, bench: Bench) -> None:
        await keyed(bench, 5, EQUAL, "b")
        assert await order(bench, 1) == "b"
        await keyed(bench, 5, EQUAL, "a")
        assert await order(bench, 4) == "abab"

    async def test_jobs_of_one_key_go_in_their_order(self, bench: Bench) -> None:
        ids = await keyed(bench, 5, EQUAL, "a")
        assert await standing(bench, ids) == "wwwww"
        batch = await bench.claim(limit=3)
        assert [job.id for job in batch.jobs] == ids[:3]
        assert await standing(bench, ids) == "rrrww"

    async def test_a_claim_draws_no_more_than_it_asks_for(self, bench: Bench) -> None:
        ids = await keyed(bench, 5, EQUAL, "a")
        await bench.claim(limit=2, types=frozenset({"other"}))
        assert await standing(bench, ids) == "wwwww"
        await bench.claim(limit=0)
        assert await standing(bench, ids) == "wwwww"
        await bench.store.pause_key("a", True, bench.now)
        assert (await bench.claim()).jobs == []
        await bench.store.pause_key("a", False, bench.now)
        await bench.claim(limit=2)
        assert await standing(bench, ids) == "rrwww"

    async def test_a_claim_takes_all_there_are(self, bench: Bench) -> None:
        for key in "abc":
            await keyed(bench, 3, EQUAL, key)
        plain = await bench.add()
        assert len((await bench.claim(limit=ALL)).jobs) == 10
        assert await bench.status(plain) is Status.PROCESSING
        assert (await bench.claim(limit=ALL)).jobs == []

    async def test_each_lane_has_turns_of_its_own(self, bench: Bench) -> None:
        await keyed(bench, 4, EQUAL, "a", priority=1)
        await keyed(bench, 4, EQUAL, "b", priority=0)
        await keyed(bench, 2, EQUAL, "c", priority=1)
        assert await order(bench, 10) == "bbbbacacaa"
        await keyed(bench, 2, EQUAL, "a", queue="other")
        await keyed(bench, 2, EQUAL, "b")
        assert await order(bench, 2, queues=frozenset({"other"})) == "aa"

    async def test_a_key_with_jobs_in_two_lanes(self, bench: Bench) -> None:
        await keyed(bench, 3, ONE, "a", type="mail")
        await keyed(bench, 2, ONE, "a")
        job = await bench.claim_one()
        assert (await bench.claim()).jobs == []
        await bench.finish(job)
        assert (await bench.claim(types=frozenset({"echo"}))).jobs[0].key == "a"


class SharingWithin:
    """Shares beside what else holds for a key."""

    async def test_a_key_without_room_is_passed_over(self, bench: Bench) -> None:
        await keyed(bench, 5, ONE, "a")
        ids = await keyed(bench, 5, EQUAL, "b")
        first = (await bench.claim(limit=1)).jobs[0]
        assert first.key == "a"
        assert await order(bench, 3) == "bbb"
        assert await standing(bench, ids) == "rrrww"
        report = await bench.finish(first)
        assert report.readied
        assert await order(bench, 3) in ("abb", "bab")

    async def test_a_rate_holds_for_a_share(self, bench: Bench) -> None:
        await keyed(bench, 6, GateRule(share=1, rate=1.0, burst=2), "a")
        await keyed(bench, 2, EQUAL, "b")
        assert sorted(await order(bench, 4, limit=8)) == ["a", "a", "b", "b"]
        assert (await bench.claim()).jobs == []
        admitted = await bench.store.admit(bench.now, ALL)
        assert (admitted.count, admitted.next_due) == (0, bench.now + MICROS * EARLY)
        bench.clock.advance(EARLY)
        assert await bench.store.admit(bench.now, ALL) == Admitted(0, bench.now + MICROS)
        bench.clock.advance(1.0)
        assert (await bench.store.admit(bench.now, ALL)).count
        assert await order(bench, 1, limit=8) == "a"

    async def test_a_cancelled_job_gives_its_turn_away(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, EQUAL, "a")
        await keyed(bench, 2, EQUAL, "b")
        for id in ids:
            await bench.store.cancel(id, bench.now)
        assert await order(bench, 2, limit=2) == "bb"
        assert (await bench.claim()).jobs == []

    async def test_many_that_have_nobody_left_hold_no_claim_up(self, bench: Bench) -> None:
        gone = [await bench.add(key=f"k{n:03}", gate=EQUAL) for n in range(40)]
        for id in gone:
            await bench.store.cancel(id, bench.now)
        await keyed(bench, 1, EQUAL, "z")
        assert await order(bench, 1) == "z"

    async def test_a_share_that_a_person_sets_counts_for_those_who_stand_there(self, bench: Bench) -> None:
        await keyed(bench, 1, ONE, "a")
        ids = await keyed(bench, 3, GateRule(concurrency=1), "b")
        assert await standing(bench, ids) == "pww"
        await bench.store.set_key("b", GateRule(share=3), bench.now)
        assert await standing(bench, ids) == "pww"
        assert sorted(await order(bench, 4)) == ["a", "b", "b", "b"]
        assert (await at(bench, "b")).rule.share == 3

    async def test_one_that_is_taken_away_lets_everybody_in(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, EQUAL, "a")
        await bench.store.set_key("a", GateRule(), bench.now)
        assert await standing(bench, ids) == "ppp"
        assert (await bench.claim(limit=2)).jobs

    async def test_one_that_is_taken_away_with_a_sequence_is_no_share(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, EQUAL, "a")
        await bench.store.set_key("a", GateRule(strict=True, on_failure=OnFailure.PASS), bench.now)
        assert await standing(bench, ids) == "pww"
        await bench.claim()
        assert await standing(bench, ids) == "rww"

    async def test_what_comes_due_takes_its_turn(self, bench: Bench) -> None:
        await keyed(bench, 4, EQUAL, "a")
        await keyed(bench, 2, EQUAL, "b", run_at=bench.now + 1_000_000)
        assert await order(bench, 1) == "a"
        bench.clock.advance(1.0)
        await bench.store.promote(bench.now, ALL)
        assert await order(bench, 4) in ("baba", "abab")

    async def test_two_nodes_share_the_turns(self, bench: Bench) -> None:
        other = await bench.harness.another()
        nodes = [(bench.store, await bench.home()), (other, await bench.node())]
        await keyed(bench, 40, EQUAL, "a")
        await keyed(bench, 40, EQUAL, "b")
        letters = ""
        for _ in range(8):
            claims = [store.claim(bench.request(node, limit=5), bench.now) for store, node in nodes]
            batches = await asyncio.gather(*claims)
            assert all(batch.jobs for batch in batches)
            letters += "".join(job.key or "" for batch in batches for job in batch.jobs)
        assert abs(letters.count("a") - letters.count("b")) <= 5

    async def test_keys_that_nobody_uses_are_forgotten(self, bench: Bench) -> None:
        await keyed(bench, 2, EQUAL, "a")
        for job in (await bench.claim(limit=2)).jobs:
            await bench.finish(job)
        for _ in range(2):
            await bench.store.prune(bench.now, ALL)
        assert await bench.store.keys(None, ALL) == []
        await keyed(bench, 1, EQUAL, "a")
        assert await order(bench, 1) == "a"
