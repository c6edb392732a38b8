"""What becomes of a job whose node dies under it again and again, where its type says so."""

from __future__ import annotations

import msgspec

from ferryman.domain.job import AfterCrashes
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.protocol import Declaration
from ferryman.testing.conformance.bench import Bench

POISON = {"echo": Declaration(after_crashes=AfterCrashes(2, "poison"))}


async def crash(bench: Bench) -> None:
    """A node takes all there is, and dies."""
    node = await bench.node(declared=POISON)
    await bench.claim(node)
    await bench.bury(node)


class Detouring:
    """It goes to another queue, by the very write that makes it pending again."""

    async def test_a_job_that_has_crashed_too_often_goes_to_another_queue(self, bench: Bench) -> None:
        id, other = await bench.add(priority=3, unique_key="k"), await bench.add("mail")
        await crash(bench)
        assert [(await bench.read(each)).queue for each in (id, other)] == ["default"] * 2
        await crash(bench)
        read = await bench.read(id)
        assert (read.queue, read.priority, read.status, read.attempt) == ("poison", 3, Status.PENDING, 2)
        assert (await bench.read(other)).queue == "default"
        assert {key: n for key, n in (await bench.counts()).standing.items() if n} == {
            ("poison", Status.PENDING): 1,
            ("default", Status.PENDING): 1,
        }
        assert [job.id for job in await bench.listed(queues=frozenset({"poison"}))] == [id]
        node = await bench.node()
        (job,) = (await bench.claim(node, queues=frozenset({"poison"}))).jobs
        assert (job.id, job.crashes, job.number) == (id, 2, 3)
        await bench.write(bench.ended(job, What.FAILED, retryable=False), node=node)
        assert (await bench.read(id)).queue == "poison"

    async def test_it_stays_there(self, bench: Bench) -> None:
        id = await bench.add()
        for _ in range(3):
            await crash(bench)
        assert (await bench.read(id)).queue == "poison"
        await bench.store.cancel(id, bench.now)
        await bench.store.retry(id, bench.now)
        assert (await bench.read(id)).queue == "poison"

    async def test_one_that_fails_or_is_cancelled_for_good_stays_where_it_was(self, bench: Bench) -> None:
        spent = await bench.add(max_attempts=2)
        await crash(bench)
        await crash(bench)
        assert ((await bench.read(spent)).status, (await bench.read(spent)).queue) == (Status.FAILED, "default")
        asked = await bench.add()
        await crash(bench)
        node = await bench.node(declared=POISON)
        await bench.claim(node)
        await bench.store.cancel(asked, bench.now)
        await bench.bury(node)
        read = await bench.read(asked)
        assert (read.status, read.queue) == (Status.CANCELLED, "default")

    async def test_a_streak_that_was_broken_counts_no_more(self, bench: Bench) -> None:
        id = await bench.add()
        await crash(bench)
        node = await bench.node(declared=POISON)
        (job,) = (await bench.claim(node)).jobs
        await bench.write(bench.ended(job, What.INTERRUPTED), node=node)
        await crash(bench)
        assert (await bench.read(id)).queue == "default"

    async def test_a_finish_that_moves_a_job_is_said_twice(self, bench: Bench) -> None:
        job, other = await bench.start(), await bench.start()
        moves = msgspec.structs.replace(bench.ended(job, What.LOST, token=7), moves_to="poison")
        for _ in range(2):
            report = await bench.write(moves)
            assert not report.fenced
            assert (await bench.read(job.id)).queue == "poison"
            assert (await bench.counts()).standing[("poison", Status.PENDING)] == 1
        await bench.finish(other)
        assert (await bench.claim_one()).id == job.id
