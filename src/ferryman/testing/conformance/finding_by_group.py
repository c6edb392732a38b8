"""Jobs are found by the error group of their latest error."""

from __future__ import annotations

import msgspec
import pytest

from ferryman.domain.error_groups import group_of
from ferryman.domain.filters import parse
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import What
from ferryman.domain.series import HOUR
from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.grouping import BOOM_GROUP, OTHER, boom, fail, found


class FindingByGroup:
    """A filter finds the jobs whose latest error is of a group, and looks at no others."""

    @pytest.mark.parametrize("newest_first", [False, True])
    async def test_jobs_are_found_by_their_latest_error(self, bench: Bench, newest_first: bool) -> None:
        ids = [(await fail(bench, boom(n))).id for n in range(3)]
        again = (await fail(bench, again=True)).id
        other = (await fail(bench, OTHER)).id
        await bench.add(run_at=bench.now + HOUR)
        boom_group, other_group = BOOM_GROUP.id, group_of(OTHER).id

        async def are(filter: str, *expected: str) -> None:
            assert await found(bench, filter, newest_first) == sorted(expected, reverse=newest_first)

        await are(f"group:{boom_group}", *ids, again)
        await are(f"status:failed group:{boom_group}", *ids)
        await are(f"status:scheduled group:{boom_group}", again)
        await are(f"group:{boom_group},{other_group} status:failed", *ids, other)
        await are(f"group:{boom_group} group:{other_group}")
        await are(f"status:failed -group:{boom_group}", other)
        await are(f"group:{'0' * 16}")

    async def test_a_job_that_has_completed_since_has_no_error(self, bench: Bench) -> None:
        await fail(bench, again=True)
        bench.clock.advance(60)
        await bench.store.promote(bench.now, 10)
        await bench.finish(await bench.claim_one())
        assert await found(bench, f"group:{BOOM_GROUP.id}") == []

    async def test_an_error_that_came_after_counts(self, bench: Bench) -> None:
        job = await fail(bench, again=True)
        bench.clock.advance(60)
        await bench.store.promote(bench.now, 10)
        await bench.finish(await bench.claim_one(), What.FAILED, error=OTHER, retryable=False)
        assert await found(bench, f"group:{BOOM_GROUP.id}") == []
        assert await found(bench, f"group:{group_of(OTHER).id}") == [job.id]

    async def test_other_jobs_are_not_looked_at(self, bench: Bench) -> None:
        for _ in range(3):
            await fail(bench, OTHER)
            await fail(bench, again=True)
        await bench.bring(Status.PENDING)
        ids = [(await bench_failed(bench, queue)).id for queue in ("a", "b")]
        for filter, expected, looked_at in (
            (f"status:failed group:{BOOM_GROUP.id}", ids, 2),
            (f"status:failed group:{BOOM_GROUP.id} queue:b", ids[1:], 1),
            (f"group:{BOOM_GROUP.id} queue:b", ids[1:], 1),
        ):
            page = await bench.store.list(parse(filter, bench.now), bench.now)
            assert ([job.id for job in page], page.looked_at) == (expected, looked_at)

    async def test_pages_lead_through_all_of_them(self, bench: Bench) -> None:
        ids = []
        for n in range(7):
            job = await fail(bench, boom(n), max_attempts=1)
            await bench.store.retry(job.id, bench.now)
            await bench.finish(await bench.claim_one(), What.FAILED, error=boom(n), retryable=False)
            ids.append(job.id)
        asked = msgspec.structs.replace(parse(f"status:failed group:{BOOM_GROUP.id}", bench.now), limit=2)
        seen: list[str] = []
        while True:
            page = await bench.store.list(asked, bench.now)
            seen += [job.id for job in page]
            if page.next is None:
                break
            asked = msgspec.structs.replace(asked, after=page.next)
        assert seen == ids


async def bench_failed(bench: Bench, queue: str) -> ClaimedJob:
    """A job of a queue that failed, whatever is pending beside it."""
    id = await bench.add(queue=queue)
    (job,) = (await bench.claim(queues=frozenset({queue}))).jobs
    assert job.id == id
    await bench.finish(job, What.FAILED, error=boom(), retryable=False)
    return job
