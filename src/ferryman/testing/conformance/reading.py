"""get, list, attempts, counts, lanes: what can be read of a store, and that it is the truth."""

from __future__ import annotations

import msgspec
import pytest

from ferryman.domain.filters import parse
from ferryman.domain.job import LEFT_OUT, MICROS, Lane
from ferryman.domain.outcome import What
from ferryman.domain.state import TERMINAL, Status
from ferryman.store.controlling import Placement
from ferryman.store.watching import VERSIONS, version_of
from ferryman.testing.conformance.bench import Bench


class Reading:
    """Reads show exactly what was written, page by page, filtered, in either order."""

    async def test_a_job_that_nobody_knows_is_not_read(self, bench: Bench) -> None:
        id = bench.job().id
        assert await bench.store.get(id, bench.now) is None
        assert list(await bench.store.attempts(id)) == []

    async def test_a_new_store_is_empty(self, bench: Bench) -> None:
        counts = await bench.counts()
        assert await bench.listed() == []
        assert not any(counts.standing.values())
        assert dict(counts.oldest_pending) == {}
        assert set(counts.totals) == {"created", "completed", "failed", "cancelled", "retried", "rescued"}
        assert not any(counts.totals.values())
        assert dict(await bench.store.lanes()) == {}

    async def test_a_list_is_in_the_order_of_ids_whatever_came_first(self, bench: Bench) -> None:
        jobs = [bench.job() for _ in range(4)]
        await bench.insert(*reversed(jobs))
        ids = [job.id for job in jobs]
        assert [job.id for job in await bench.listed()] == ids
        assert [job.id for job in await bench.listed(newest_first=True)] == ids[::-1]

    @pytest.mark.parametrize("newest_first", [False, True])
    async def test_pages_follow_each_other(self, bench: Bench, newest_first: bool) -> None:
        ids = [await bench.add() for _ in range(5)]
        expected = ids[::-1] if newest_first else ids
        found: list[str] = []
        for size in (2, 2, 1, 0):
            after = found[-1] if found else None
            page = await bench.listed(after=after, limit=2, newest_first=newest_first)
            assert len(page) == size
            found += [job.id for job in page]
        assert found == expected

    async def test_a_page_may_start_after_an_id_that_is_not_there(self, bench: Bench) -> None:
        first, never, last = await bench.add(), bench.job().id, await bench.add()
        assert [job.id for job in await bench.listed(after=never)] == [last]
        assert [job.id for job in await bench.listed(after=never, newest_first=True)] == [first]

    async def test_a_list_shows_jobs_as_get_does(self, bench: Bench) -> None:
        ids = [await bench.bring(status) for status in Status if status not in (Status.WAITING, Status.PENDING)]
        ids.append(await bench.bring(Status.PENDING, tags=("a",), unique_key="k"))
        listed = {job.id: job for job in await bench.listed()}
        assert listed == {id: await bench.read(id) for id in ids}

    @pytest.mark.parametrize("filter", ["", "payload.n:2", "tag:a", "-payload.n:3"])
    async def test_a_list_without_bodies_is_the_same_without_them(self, bench: Bench, filter: str) -> None:
        await bench.finish(await bench.start(payload='{"n":2}', tags=("a",)), What.DONE, result='{"n":2}')
        for n, status in enumerate((Status.FAILED, Status.PROCESSING, Status.PENDING), 3):
            await bench.bring(status, payload=f'{{"n":{n}}}')
        asked = parse(filter, bench.now)
        whole = await bench.store.list(asked, bench.now)
        told = await bench.store.list(msgspec.structs.replace(asked, bodies=False), bench.now)
        assert whole[0].result == whole[0].payload == '{"n":2}'
        assert list(told) == [msgspec.structs.replace(job, payload=LEFT_OUT, result=None) for job in whole]
        assert (told.next, told.looked_at) == (whole.next, whole.looked_at)

    async def test_a_list_shows_what_fits_every_part_of_its_filter(self, bench: Bench) -> None:
        done = await bench.bring(Status.COMPLETED, tags=("a", "b"))
        failed = await bench.bring(Status.FAILED, type="mail", queue="post", tags=("b",))
        gone = await bench.bring(Status.CANCELLED, queue="post")
        runs = await bench.bring(Status.PROCESSING, tags=("a",))
        later = await bench.bring(Status.SCHEDULED, type="mail")
        waits = await bench.bring(Status.PENDING, type="mail", queue="other", tags=("c",))

        async def found(**filter: object) -> list[str]:
            return [job.id for job in await bench.listed(**filter)]

        for status, id in zip(
            ("completed", "failed", "cancelled", "processing", "scheduled", "pending"),
            (done, failed, gone, runs, later, waits),
            strict=True,
        ):
            assert await found(statuses=frozenset({Status(status)})) == [id]
        assert await found(statuses=frozenset({Status.WAITING})) == []
        assert await found(statuses=frozenset({Status.FAILED, Status.PENDING})) == [failed, waits]
        assert await found(types=frozenset({"mail"})) == [failed, later, waits]
        assert await found(types=frozenset({"mail", "echo"})) == [done, failed, gone, runs, later, waits]
        assert await found(types=frozenset({"never"})) == []
        assert await found(queues=frozenset({"post", "other"})) == [failed, gone, waits]
        assert await found(tags=frozenset({"a", "c"})) == [done, runs, waits]
        assert await found(tags=frozenset({"b"}), statuses=frozenset({Status.FAILED})) == [failed]
        assert await found(types=frozenset({"mail"}), queues=frozenset({"post"}), tags=frozenset({"c"})) == []
        assert await found(types=frozenset({"mail"}), after=failed, limit=1) == [later]
        assert await found(queues=frozenset({"post"}), newest_first=True) == [gone, failed]

    async def test_versions_are_those_of_the_jobs_as_they_are_read(self, bench: Bench) -> None:
        ids = [await bench.bring(status) for status in Status if status not in (Status.WAITING, Status.PENDING)]
        ids.append(await bench.bring(Status.PENDING, priority=2, queue="post"))
        found = await bench.store.versions(ids, bench.now)
        assert found == {id: version_of(await bench.read(id)) for id in ids}

    async def test_who_is_not_there_has_no_version(self, bench: Bench) -> None:
        id, never = await bench.add(), bench.job().id
        assert list(await bench.store.versions([never, id, "x"], bench.now)) == [id]
        assert await bench.store.versions([], bench.now) == {}

    async def test_more_jobs_than_one_statement_takes_have_versions(self, bench: Bench) -> None:
        jobs = [bench.job() for _ in range(VERSIONS + 1)]
        await bench.insert(*jobs)
        assert set(await bench.store.versions([job.id for job in jobs], bench.now)) == {job.id for job in jobs}

    async def test_a_version_changes_with_the_claim_the_status_and_the_place(self, bench: Bench) -> None:
        id = await bench.add()
        seen = [await self._tag(bench, id)]
        for placement in (Placement(queue="post"), Placement(priority=1), Placement(run_at=bench.now + MICROS)):
            await bench.store.place([id], placement, bench.now)
            seen.append(await self._tag(bench, id))
        bench.clock.advance(2)
        await bench.store.promote(bench.now, 10)
        seen.append(await self._tag(bench, id))
        for what in (What.RELEASED, What.DONE):
            [job] = (await bench.claim()).jobs
            seen.append(await self._tag(bench, id))
            await bench.finish(job, what)
            seen.append(await self._tag(bench, id))
        assert len(set(seen)) == len(seen)

    async def test_a_job_past_its_retention_has_no_version(self, bench: Bench) -> None:
        ids = [await bench.bring(status) for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)]
        for kept in (3, 2, 1, 0):
            assert len(await bench.store.versions(ids, bench.now)) == kept
            bench.clock.advance(100)

    async def _tag(self, bench: Bench, id: str) -> str:
        return (await bench.store.versions([id], bench.now))[id].tag

    async def test_text_survives_as_it_is(self, bench: Bench) -> None:
        strange = "\u00e4\u4e2d\U0001f6a2 '\"\\%_\n\t\x7f\ufeff"
        id = await bench.add(
            type=strange, queue=strange, unique_key=strange, tags=(strange,), payload='{"a":"\\u0000"}'
        )
        job = await bench.read(id)
        assert (job.type, job.queue, job.unique_key, job.tags) == (strange, strange, strange, (strange,))
        assert job.payload == '{"a":"\\u0000"}'
        assert await bench.listed(tags=frozenset({strange}), queues=frozenset({strange})) == [job]
        assert await bench.listed(tags=frozenset({strange[:-1]})) == []

    async def test_lanes_are_remembered(self, bench: Bench) -> None:
        await bench.bring(Status.COMPLETED, queue="a", priority=1)
        await bench.add("mail", queue="a")
        await bench.add("mail", queue="a", run_at=bench.now + MICROS)
        lanes = await bench.store.lanes()
        assert sorted(lanes.values(), key=lambda lane: lane.type) == [Lane("a", "echo", 1), Lane("a", "mail", 5)]


class Counting:
    """Depths and totals are exact at every moment, over all connections."""

    async def test_every_status_is_counted_by_queue(self, bench: Bench) -> None:
        for queue in ("a", "b"):
            for status in (Status.COMPLETED, Status.FAILED, Status.PROCESSING, Status.SCHEDULED, Status.CANCELLED):
                await bench.bring(status, queue=queue)
        await bench.add(queue="a")
        await bench.add(queue="a", priority=1)
        counts = await bench.counts()
        assert {key: count for key, count in counts.standing.items() if count} == {
            ("a", Status.PENDING): 2,
            ("a", Status.PROCESSING): 1,
            ("a", Status.SCHEDULED): 1,
            ("b", Status.PROCESSING): 1,
            ("b", Status.SCHEDULED): 1,
        }
        assert counts.totals == {"created": 12, "completed": 2, "failed": 2, "cancelled": 2, "retried": 0, "rescued": 0}
        assert counts.ended == {"a": 3, "b": 3}

    async def test_what_has_ended_is_counted_until_it_is_deleted_or_sent_back(self, bench: Bench) -> None:
        ended = [await bench.bring(status) for status in (Status.FAILED, Status.CANCELLED, Status.COMPLETED) * 2]
        await bench.store.retry(ended[0], bench.now)
        await bench.store.retry(ended[1], bench.now, bench.now + MICROS)
        await bench.store.delete(ended[2], bench.now)
        found = (await bench.counts()).jobs()
        assert {status.value: n for status, n in found.items() if n} == {
            "pending": 1,
            "scheduled": 1,
            "completed": 1,
            "failed": 1,
            "cancelled": 1,
        }
        bench.clock.advance(10_000)
        assert await bench.listed(statuses=TERMINAL) == []
        assert (await bench.counts()).jobs() == found, "whoever has not been pruned is there"
        assert await bench.store.prune(bench.now, 100) == 3
        assert sum((await bench.counts()).jobs().values()) == 2
        assert (await bench.counts()).ended == {"default": 6}

    async def test_jobs_are_counted_of_some_queues_and_types(self, bench: Bench) -> None:
        places = (("a", "echo"), ("a", "mail"), ("b", "mail"))
        for queue, type in places:
            await bench.bring(Status.FAILED, type=type, queue=queue)
        await bench.insert(*[bench.job(type, queue=queue) for queue, type in places])
        counts = await bench.counts()
        for queues, types, count in (
            (None, (), 3),
            ({"a"}, (), 2),
            (None, ("mail",), 2),
            ({"a"}, ("ma*", "never"), 1),
            ({"a"}, ("*",), 2),
            (set[str](), (), 0),
        ):
            found = counts.jobs(None if queues is None else frozenset(queues), frozenset(types))
            assert (found[Status.FAILED], found[Status.PENDING], sum(found.values())) == (count, count, 2 * count)

    async def test_the_oldest_pending_job_of_a_queue_says_how_long_it_waits(self, bench: Bench) -> None:
        await bench.add(queue="a", priority=9)
        bench.clock.advance(3)
        await bench.add(queue="a", priority=0)
        await bench.add(queue="b")
        bench.clock.advance(2)
        assert await self._waits(bench) == {"a": 5, "b": 2}
        await bench.claim(queues=frozenset({"b"}))
        assert await self._waits(bench) == {"a": 5}

    async def test_a_job_that_comes_back_waits_anew(self, bench: Bench) -> None:
        job = await bench.start()
        bench.clock.advance(5)
        await bench.finish(job, What.RELEASED)
        bench.clock.advance(1)
        assert await self._waits(bench) == {"default": 1}

    async def test_nobody_waits_less_than_no_time(self, bench: Bench) -> None:
        await bench.add()
        bench.clock.jump(-60)
        assert await self._waits(bench) == {"default": 0}

    async def test_another_connection_counts_the_same(self, bench: Bench) -> None:
        other = await bench.harness.another()
        await bench.start()
        await other.insert([bench.job()], bench.now)
        assert await other.counts(bench.now) == await bench.counts()
        assert (await bench.counts()).totals["created"] == 2

    async def _waits(self, bench: Bench) -> dict[str, int]:
        """Whole seconds by queue: a store that orders by time may be off by some microseconds."""
        return {queue: round(age / MICROS) for queue, age in (await bench.counts()).oldest_pending.items()}
