"""Races over a job that is being claimed, runs, or is given back."""

from __future__ import annotations

from typing import Any

from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.testing.conformance import heats
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.harness import LEASE
from ferryman.testing.conformance.heats import Call, Heat


async def claim_claim(bench: Bench) -> Heat:
    """Two nodes want the same jobs: each job goes to one of them."""
    ids = [await bench.add() for _ in range(5)]
    nodes = [await bench.node(), await bench.node()]
    left, right = (Call("claim", (bench.request(node, limit=3), bench.now)) for node in nodes)

    async def judge(one: Any, two: Any) -> None:
        taken = [job.id for batch in (one, two) for job in batch.jobs]
        assert sorted(taken) == ids
        assert {job.number for batch in (one, two) for job in batch.jobs} == {1}

    return Heat(left, right, judge)


async def claim_cancel(bench: Bench) -> Heat:
    """Either it is cancelled before anybody has it, or it runs and is asked to end."""
    id, node = await bench.add(), await bench.home()

    async def judge(batch: Any, cancelled: Any) -> None:
        if cancelled.before is Status.PENDING:
            assert (batch.jobs, await bench.status(id)) == ([], Status.CANCELLED)
        else:
            assert cancelled.before is Status.PROCESSING
            assert [job.id for job in batch.jobs] == [id]
            assert [tuple(run) for run in await bench.store.cancellations(node)] == [(id, 1)]

    return Heat(heats.claim(bench, node), heats.cancel(bench, id), judge)


async def claim_expire(bench: Bench) -> Heat:
    """Either it is given out, or it expires."""
    id, node = await bench.add(expires_at=bench.now), await bench.home()

    async def judge(batch: Any, expired: Any) -> None:
        assert len(batch.jobs) + expired == 1
        assert await bench.status(id) is (Status.CANCELLED if expired else Status.PROCESSING)

    return Heat(heats.claim(bench, node), Call("expire", (bench.now, 10)), judge)


async def claim_release(bench: Bench) -> Heat:
    """A job that is given back can be taken again, under the next number, never under both."""
    job, node = await bench.start(), await bench.home()
    other = await bench.node()

    async def judge(batch: Any, released: Any) -> None:
        assert released == 1
        assert [each.number for each in batch.jobs] in ([], [2])
        assert await bench.status(job.id) is (Status.PROCESSING if batch.jobs else Status.PENDING)

    return Heat(heats.claim(bench, other), Call("release", (node, job.batch, bench.now)), judge)


async def finish_finish(bench: Bench) -> Heat:
    """Two ends of one run: the first is kept whole."""
    job, node = await bench.start(), await bench.home()
    left, right = (Call("finish", (node, [bench.ended(job, What.DONE, result=text)], bench.now)) for text in "12")

    async def judge(one: Any, two: Any) -> None:
        assert len(one.fenced) + len(two.fenced) == 1
        assert (await bench.read(job.id)).result == ("2" if one.fenced else "1")

    return Heat(left, right, judge)


async def finish_rescue(bench: Bench) -> Heat:
    """A node taken for dead may still finish: then its job is done, else it runs again."""
    job, node = await bench.start(), await bench.home()
    await bench.rescue()
    await bench.harness.kill(bench.store, node)

    async def judge(report: Any, rescued: Any) -> None:
        (dead,) = rescued
        assert dead.count == len(report.fenced)
        assert await bench.status(job.id) is (Status.PENDING if report.fenced else Status.COMPLETED)

    finish = Call("finish", (node, [bench.ended(job, What.DONE)], bench.now))
    return Heat(finish, Call("rescue", (bench.now, LEASE)), judge)


async def finish_force_cancel(bench: Bench) -> Heat:
    """A handler that ends just as its cancel is forced."""
    job, node = await bench.start(), await bench.home()
    await bench.store.cancel(job.id, bench.now)
    bench.clock.advance(60)

    async def judge(report: Any, forced: Any) -> None:
        assert forced == len(report.fenced)
        assert await bench.status(job.id) is (Status.CANCELLED if forced else Status.COMPLETED)

    finish = Call("finish", (node, [bench.ended(job, What.DONE)], bench.now))
    return Heat(finish, Call("force_cancel", (bench.now, bench.now)), judge)


async def finish_cancel(bench: Bench) -> Heat:
    """A job that would run again, and a person who does not want it: it never runs again."""
    job, node = await bench.start(), await bench.home()

    async def judge(report: Any, cancelled: Any) -> None:
        assert report.fenced == frozenset()
        assert cancelled.before in (Status.PROCESSING, Status.SCHEDULED)
        assert report.cancelled == (frozenset({job.id}) if cancelled.before is Status.PROCESSING else frozenset())
        assert await bench.status(job.id) is Status.CANCELLED

    finish = Call("finish", (node, [bench.ended(job, What.FAILED, delay=5.0)], bench.now))
    return Heat(finish, heats.cancel(bench, job.id), judge)


async def release_rescue(bench: Bench) -> Heat:
    """A batch given back while its node is buried: each run ends once."""
    job, node = await bench.start(), await bench.home()
    await bench.rescue()
    await bench.harness.kill(bench.store, node)

    async def judge(released: Any, rescued: Any) -> None:
        (dead,) = rescued
        assert released + dead.count == 1
        read = await bench.read(job.id)
        assert (read.status, read.attempt, read.claim) == (Status.PENDING, dead.count, 1)

    return Heat(Call("release", (node, job.batch, bench.now)), Call("rescue", (bench.now, LEASE)), judge)
