"""Error groups: which failed attempts are counted as one, how often, where."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from ferryman.domain.error_groups import group_of
from ferryman.domain.filters import parse
from ferryman.domain.job import ClaimedJob, JobError
from ferryman.domain.outcome import What
from ferryman.domain.series import HOUR
from ferryman.store.grouping import DAY, FAILED_MOST, HOURS, KEPT, ErrorGroup, GroupFilter, hour_of
from ferryman.store.protocol import NodeInfo
from ferryman.testing.conformance.bench import TYPES, Bench
from ferryman.testing.conformance.harness import RETENTION

SECONDS: Final = 1_000_000


def boom(user: int = 1) -> JobError:
    """One of many errors of one group."""
    return JobError("FM501", "ValueError", f"no such user: {user}", "Traceback ...", "mail.py:send")


OTHER: Final = JobError("FM501", "KeyError", "'a'")
BOOM_GROUP: Final = group_of(boom())


async def groups(bench: Bench, **asked: Any) -> list[ErrorGroup]:
    """The groups that fit."""
    return list(await bench.store.error_groups(GroupFilter(**asked), bench.now))


async def only(bench: Bench, **asked: Any) -> ErrorGroup:
    """The one that fits."""
    (found,) = await groups(bench, **asked)
    return found


async def fail(bench: Bench, error: JobError | None = None, *, again: bool = False, **options: Any) -> ClaimedJob:
    """Hand a job in and let it fail."""
    job = await bench.start(**options)
    await bench.finish(job, What.FAILED, error=error or boom(), delay=60.0 if again else None, retryable=again)
    return job


async def found(bench: Bench, filter: str, newest_first: bool = False) -> list[str]:
    """The ids of the jobs that a filter means."""
    asked = msgspec.structs.replace(parse(filter, bench.now), newest_first=newest_first)
    return [job.id for job in await bench.store.list(asked, bench.now)]


class Grouping:
    """A failed attempt is counted once, in its group."""

    async def test_failed_attempts_of_one_group_are_counted_as_one(self, bench: Bench) -> None:
        start = bench.now
        await fail(bench, boom(1), type="mail", queue="a")
        bench.clock.advance(5)
        last = await fail(bench, boom(2), again=True)
        assert await only(bench) == ErrorGroup(
            BOOM_GROUP,
            count=2,
            jobs=1,
            at_least=False,
            first_at=start,
            last_at=bench.now,
            types=["echo", "mail"],
            queues=["a", "default"],
            versions=["0.1.0"],
            job=last.id,
            since=hour_of(bench.now) - 23 * HOUR,
            lately=[0] * 23 + [2],
        )
        assert BOOM_GROUP.message == "no such user: <n>"

    async def test_attempts_that_end_together_are_all_counted(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(5)]
        errors = [boom(1), OTHER, boom(2), None, boom(3)]
        jobs = (await bench.claim()).jobs
        await bench.write(
            *(
                bench.ended(job, What.DONE if error is None else What.FAILED, error=error, retryable=False)
                for job, error in zip(jobs, errors, strict=True)
            )
        )
        assert {each.group.exception: each.count for each in await groups(bench)} == {"ValueError": 3, "KeyError": 1}
        assert (await only(bench, id=BOOM_GROUP.id)).job == ids[-1]

    async def test_what_has_not_failed_is_in_no_group(self, bench: Bench) -> None:
        await bench.finish(await bench.start(), What.DONE)
        await bench.finish(await bench.start(), What.CANCELLED, error=JobError("FM514", "Cancel", "no more"))
        await bench.finish(await bench.start(), What.INTERRUPTED)
        late = await bench.add(run_at=bench.now + HOUR, expires_at=bench.now + SECONDS)
        bench.clock.advance(2)
        await bench.store.expire(bench.now, 10)
        assert (await bench.read(late)).error is not None
        assert await groups(bench) == []

    async def test_an_interruption_that_ends_a_job_has_failed_it(self, bench: Bench) -> None:
        job = await bench.start(max_attempts=1)
        await bench.finish(job, What.INTERRUPTED)
        group = await only(bench)
        assert (group.group.exception, group.group.code, group.jobs) == ("RunInterrupted", "FM506", 1)

    async def test_runs_of_a_dead_node_are_lost_in_one_group(self, bench: Bench) -> None:
        node = await bench.node()
        ids = [await bench.add(max_attempts=most) for most in (1, 3)]
        await bench.claim(node)
        await bench.bury(node)
        group = await only(bench)
        assert (group.group.exception, group.group.frame, group.count, group.jobs) == ("RunLost", None, 2, 1)
        assert await found(bench, f"group:{group.group.id}") == ids
        assert await found(bench, f"status:pending group:{group.group.id}") == ids[1:]

    async def test_a_fenced_finish_is_not_counted(self, bench: Bench) -> None:
        job = await bench.start()
        ended = bench.ended(job, What.FAILED, error=boom(), retryable=False)
        await bench.write(ended)
        assert not (await bench.write(ended)).fenced
        assert (await bench.write(bench.ended(job, What.FAILED, error=boom(), retryable=False))).fenced
        assert (await only(bench)).count == 1

    async def test_a_failed_attempt_of_a_job_with_a_key_is_counted(self, bench: Bench) -> None:
        job = await fail(bench, key="k", again=True)
        assert (await only(bench)).job == job.id
        assert await found(bench, f"group:{BOOM_GROUP.id}") == [job.id]

    async def test_a_failure_that_ends_cancelled_instead_has_failed_all_the_same(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.store.cancel(job.id, bench.now)
        await bench.finish(job, What.FAILED, error=boom(), delay=1.0)
        assert ((await only(bench)).count, (await only(bench)).jobs) == (1, 0)
        assert await found(bench, f"status:cancelled group:{BOOM_GROUP.id}") == [job.id]

    async def test_versions_are_those_of_nodes_the_latest_first(self, bench: Bench) -> None:
        for n in range(6):
            info = NodeInfo(f"v{n}", "host", 1, f"1.{n}.0", TYPES, None, 1)
            node = await bench.store.register(info, bench.now)
            await bench.add()
            job = await bench.claim_one(node)
            await bench.write(bench.ended(job, What.FAILED, error=boom(), retryable=False), node=node)
            bench.clock.advance(1)
        assert (await only(bench)).versions == ["1.5.0", "1.4.0", "1.3.0", "1.2.0", "1.1.0"]

    async def test_jobs_are_those_that_stand_failed_now(self, bench: Bench) -> None:
        one, two, three = [await fail(bench, max_attempts=1) for _ in range(3)]
        await bench.store.retry(one.id, bench.now)
        assert (await only(bench)).jobs == 2
        await bench.finish(await bench.claim_one(), What.FAILED, error=boom(), retryable=False)
        assert ((await only(bench)).jobs, (await only(bench)).count) == (3, 4)
        await bench.store.retry(two.id, bench.now)
        await bench.finish(await bench.claim_one(), What.FAILED, error=OTHER, retryable=False)
        await bench.store.delete(three.id, bench.now)
        assert ((await only(bench, id=BOOM_GROUP.id)).jobs, (await only(bench, id=group_of(OTHER).id)).jobs) == (1, 1)
        bench.clock.advance(RETENTION.failed / SECONDS)
        assert ((await only(bench, id=BOOM_GROUP.id)).jobs, (await only(bench, id=BOOM_GROUP.id)).count) == (0, 4)

    async def test_a_bounded_number_of_failures_is_looked_at(self, bench: Bench) -> None:
        for _ in range(FAILED_MOST + 1):
            await bench.add()
        jobs = (await bench.claim(limit=FAILED_MOST + 1)).jobs
        jobs += (await bench.claim()).jobs
        await bench.write(*(bench.ended(job, What.FAILED, error=boom(), retryable=False) for job in jobs))
        group = await only(bench)
        assert (group.jobs, group.at_least, group.count) == (FAILED_MOST, True, FAILED_MOST + 1)
        bench.clock.advance(1)
        await fail(bench, queue="small", max_attempts=1)
        few = await only(bench, queues=frozenset({"small"}))
        assert (few.jobs, few.at_least, few.count) == (1, True, 1), "as many failures are looked at, wherever they are"


class ListingGroups:
    """Groups are listed by when they were seen last."""

    async def test_a_group_seen_last_comes_first_page_by_page(self, bench: Bench) -> None:
        errors = [JobError("FM501", name, "") for name in "ABCD"]
        for error in errors:
            await fail(bench, error)
        bench.clock.advance(1)
        await fail(bench, errors[1])
        expected = [group_of(errors[1]).id, *sorted((group_of(errors[n]).id for n in (0, 2, 3)), reverse=True)]
        after, seen = None, []
        while page := await groups(bench, after=after, limit=1):
            after = page[0].last_at, page[0].group.id
            seen.append(page[0].group.id)
        assert seen == expected
        assert [each.group.id for each in await groups(bench)] == expected
        assert (await groups(bench))[0].count == 2

    async def test_a_period_means_when_they_were_seen_last(self, bench: Bench) -> None:
        await fail(bench, boom())
        bench.clock.advance(1)
        middle = bench.now
        await fail(bench, OTHER)
        bench.clock.advance(1)
        await fail(bench, boom())
        for asked, expected in (
            ({"start": middle}, ["ValueError", "KeyError"]),
            ({"start": middle + 1}, ["ValueError"]),
            ({"end": bench.now}, ["KeyError"]),
            ({"start": middle, "end": middle + 1, "after": (middle + 1, "f" * 16)}, ["KeyError"]),
            ({"end": middle}, []),
        ):
            assert [each.group.exception for each in await groups(bench, **asked)] == expected

    async def test_other_queues_and_types_do_not_count(self, bench: Bench) -> None:
        await fail(bench, type="mail", queue="a")
        bench.clock.advance(1)
        await fail(bench, type="mail", queue="b")
        await fail(bench, OTHER, queue="b")
        in_a = await only(bench, queues=frozenset({"a"}))
        assert (in_a.count, in_a.jobs, in_a.queues, in_a.last_at) == (1, 1, ["a"], bench.now - SECONDS)
        assert sum(in_a.lately) == 1
        mails = await only(bench, types=frozenset({"m*"}))
        assert (mails.count, mails.types) == (2, ["mail"])
        assert await groups(bench, id=group_of(OTHER).id, queues=frozenset({"a"})) == []
        assert await groups(bench, queues=frozenset({"nowhere"})) == []

    async def test_a_group_that_nobody_has_seen_is_not_there(self, bench: Bench) -> None:
        await fail(bench)
        assert await groups(bench, id="0" * 16) == []


class GroupsGrowOld:
    """Hours are told one by one for a day, and everything for ninety."""

    async def test_hours_are_told_for_a_day(self, bench: Bench) -> None:
        bench.clock.advance((DAY - bench.now % DAY) / SECONDS)
        for _ in range(HOURS + 2):
            await fail(bench)
            bench.clock.advance(HOUR / SECONDS)
            await settle(bench)
        group = await only(bench)
        assert (group.lately, group.count) == ([1] * 23 + [0], HOURS + 2)

    @pytest.mark.parametrize("days", [3, 40])
    async def test_old_hours_become_parts_of_days_and_nothing_is_lost(self, bench: Bench, days: int) -> None:
        start = bench.now
        for hours in (1, 3):
            await fail(bench)
            bench.clock.advance(hours * HOUR / SECONDS)
        last, seen_at = await fail(bench), bench.now
        bench.clock.advance(days * DAY / SECONDS)
        for _ in range(3):
            await settle(bench)
        group = await only(bench)
        assert (group.count, group.first_at, group.last_at, group.job) == (3, start, seen_at, last.id)
        assert sum(group.lately) == 0

    async def test_what_was_seen_is_forgotten_in_the_end(self, bench: Bench) -> None:
        await fail(bench)
        bench.clock.advance(KEPT / SECONDS - 1)
        await settle(bench)
        assert (await only(bench)).count == 1
        await fail(bench, OTHER)
        bench.clock.advance(1)
        await settle(bench)
        assert [each.group.exception for each in await groups(bench)] == ["KeyError"]


async def settle(bench: Bench) -> None:
    """Do the chores that have to do with what grows old."""
    await bench.store.promote(bench.now, 1)
    await bench.store.prune(bench.now, 10)
