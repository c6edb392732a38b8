"""Rules of keys: who sets them, what a pause holds back, and for how long a gate is kept."""

from __future__ import annotations

from ferryman.domain.gates import MOST
from ferryman.domain.job import MICROS, ClaimedJob
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import What
from ferryman.store.gating import Admitted
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.keys import ONE, RATE, TWO, at, keyed, standing


class RulingKeys:
    """Which rule a gate keeps to."""

    async def test_the_newest_job_brings_the_rule(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, ONE)
        assert await standing(bench, ids) == "pww"
        ids += await keyed(bench, 1, TWO)
        assert await standing(bench, ids) == "ppww"
        assert (await at(bench)).rule == TWO

    async def test_one_that_brings_none_leaves_it(self, bench: Bench) -> None:
        ids = [*await keyed(bench, 1, ONE), *await keyed(bench, 1)]
        assert await standing(bench, ids) == "pw"

    async def test_an_older_job_that_comes_late_leaves_it(self, bench: Bench) -> None:
        late = await bench.add(key="k", gate=TWO, run_at=bench.now + MICROS)
        ids = await keyed(bench, 2, ONE)
        bench.clock.advance(1)
        await bench.store.promote(bench.now, 10)
        assert await standing(bench, [late, *ids]) == "wpw"
        assert (await at(bench)).rule == ONE

    async def test_a_rule_set_by_a_person_stays(self, bench: Bench) -> None:
        await bench.store.set_key("k", TWO, bench.now)
        ids = await keyed(bench, 3, ONE)
        assert await standing(bench, ids) == "ppw"
        assert ((await at(bench)).pinned, (await at(bench)).rule) == (True, TWO)

    async def test_a_rule_that_is_set_counts_at_once(self, bench: Bench) -> None:
        ids = await keyed(bench, 4, ONE)
        for _ in range(2):
            await bench.store.set_key("k", GateRule(concurrency=3), bench.now)
            assert await standing(bench, ids) == "pppw"
        await bench.store.set_key("k", ONE, bench.now)
        await bench.finish((await bench.claim()).jobs[0])
        assert await standing(bench, ids) == "crrw"

    async def test_an_unpinned_rule_stays_until_a_job_brings_another(self, bench: Bench) -> None:
        await bench.store.set_key("k", ONE, bench.now)
        await bench.store.set_key("k", None, bench.now)
        ids = await keyed(bench, 2)
        assert await standing(bench, ids) == "pw"
        ids += await keyed(bench, 1, TWO)
        assert await standing(bench, ids) == "ppw"
        assert not (await at(bench)).pinned


class Pausing:
    """A paused key lets nobody in; who is in goes on."""

    async def test_a_paused_key_lets_nobody_in(self, bench: Bench) -> None:
        ids = await keyed(bench, 1)
        for _ in range(2):
            await bench.store.pause_key("k", True, bench.now)
        ids += await keyed(bench, 2)
        assert await standing(bench, ids) == "pww"
        assert (await at(bench)).paused
        await bench.finish(await bench.claim_one())
        assert await standing(bench, ids) == "cww"
        assert await bench.store.admit(bench.now, 10) == Admitted(0, None)
        await bench.store.pause_key("k", False, bench.now)
        assert await standing(bench, ids) == "cpp"

    async def test_a_key_that_nobody_uses_can_be_paused(self, bench: Bench) -> None:
        await bench.store.pause_key("k", True, bench.now)
        ids = await keyed(bench, 1, TWO)
        assert await standing(bench, ids) == "w"
        assert (await at(bench)).rule == TWO

    async def test_many_are_let_in_by_and_by(self, bench: Bench) -> None:
        await bench.store.pause_key("k", True, bench.now)
        await bench.insert(*[bench.job(key="k") for _ in range(MOST + 5)])
        await bench.store.pause_key("k", False, bench.now)
        assert (await at(bench)).waiting == 5
        assert await bench.store.admit(bench.now, 10) == Admitted(5, None)
        assert (await bench.store.admit(bench.now, 10)).count == 0
        assert (await at(bench)).slots == MOST + 5


class Keeping:
    """What is known of keys, and for how long."""

    async def test_keys_are_listed_by_their_texts(self, bench: Bench) -> None:
        for key in ("b", "a", "é", "c"):
            await keyed(bench, 1, ONE, key)
        assert [each.key for each in await bench.store.keys(None, 3)] == ["a", "b", "c"]
        assert [each.key for each in await bench.store.keys("b", 10)] == ["c", "é"]

    async def test_a_gate_that_nobody_uses_is_forgotten(self, bench: Bench) -> None:
        await keyed(bench, 1, ONE)
        await bench.store.prune(bench.now, 100)
        assert await bench.store.key("k") is not None
        await bench.finish(await bench.claim_one())
        await bench.store.prune(bench.now, 100)
        assert await bench.store.key("k") is None

    async def test_one_that_a_person_has_set_is_kept(self, bench: Bench) -> None:
        await bench.store.set_key("set", ONE, bench.now)
        await bench.store.pause_key("paused", True, bench.now)
        await bench.store.prune(bench.now, 100)
        assert [each.key for each in await bench.store.keys(None, 10)] == ["paused", "set"]
        await bench.store.set_key("set", None, bench.now)
        await bench.store.pause_key("paused", False, bench.now)
        await bench.store.prune(bench.now, 100)
        assert list(await bench.store.keys(None, 10)) == []

    async def test_one_with_spent_tokens_is_kept_until_they_are_back(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, RATE)
        for job in (await bench.claim()).jobs:
            await bench.finish(job)
        bench.clock.advance(1.4)
        await bench.store.prune(bench.now, 100)
        assert await bench.store.key("k") is not None
        bench.clock.advance(0.1)
        await bench.store.prune(bench.now, 100)
        assert await bench.store.key("k") is None
        assert await standing(bench, ids) == "ccc"

    async def test_waiting_jobs_keep_their_gate(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, ONE)
        bench.clock.advance(1_000_000)
        await bench.store.prune(bench.now, 100)
        assert await standing(bench, ids) == "pw"
        assert (await at(bench)).waiting == 1

    async def test_two_stores_see_the_same_slots(self, bench: Bench) -> None:
        other = await bench.harness.another()
        first, second = bench.job(key="k", gate=ONE), bench.job(key="k", gate=ONE)
        await bench.store.insert([first], bench.now)
        await other.insert([second], bench.now)
        assert await standing(bench, [first.id, second.id]) == "pw"
        job: ClaimedJob = await bench.claim_one(await bench.node(other))
        await other.finish(bench.nodes[0], [bench.ended(job, What.DONE)], bench.now)
        assert await standing(bench, [first.id, second.id]) == "cp"
