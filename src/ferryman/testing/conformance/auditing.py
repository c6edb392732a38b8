"""The audit log: a deed for each change of an operator's, in the commit that makes it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ferryman.domain.audit import KEPT, MANY, Deed
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Scope
from ferryman.domain.state import Status
from ferryman.store.auditing import AuditFilter
from ferryman.store.controlling import Placement
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.deeds import DEEDS, deed_of, everything


async def log(bench: Bench, after: int | None = None, limit: int = 100, **filter: Any) -> list[Deed]:
    """A page of the log."""
    return [each.deed for each in await bench.store.audit(AuditFilter(**filter), after, limit)]


class WritingDeeds:
    """Whoever changes something is told of; whoever changes nothing is not."""

    @pytest.mark.parametrize("which", DEEDS)
    async def test_a_change_is_in_the_log(self, bench: Bench, which: str) -> None:
        action, made_ready = DEEDS[which]
        say = await made_ready(bench)
        before = await everything(bench)
        await say(deed_of(bench, action, "x"))
        assert await everything(bench) != before
        (written,) = await log(bench)
        target = written.target if action in ("job.place", "job.purge") else "x"
        assert written == Deed(bench.now, "cli:anna@host", action, target, {})

    @pytest.mark.parametrize("which", DEEDS)
    async def test_said_again_it_changes_nothing_and_is_in_the_log_once(self, bench: Bench, which: str) -> None:
        action, made_ready = DEEDS[which]
        say = await made_ready(bench)
        await say(deed_of(bench, action))
        changed = await everything(bench)
        await say(deed_of(bench, action))
        assert await everything(bench) == changed
        assert len(await log(bench)) == 1

    @pytest.mark.parametrize("which", DEEDS)
    async def test_what_is_no_deed_is_not_in_the_log(self, bench: Bench, which: str) -> None:
        say = await DEEDS[which][1](bench)
        await say(None)
        assert await log(bench) == []

    async def test_a_job_that_is_not_there_or_has_ended_brings_no_deed(self, bench: Bench) -> None:
        done, deed = await bench.bring(Status.COMPLETED), deed_of(bench)
        for id in (done, bench.ids.mint(bench.now)):
            await bench.store.cancel(id, bench.now, deed=deed)
            await bench.store.retry(id, bench.now, deed=deed)
            await bench.store.place([id], Placement(priority=1), bench.now, deed=deed)
            await bench.store.cancel_waiting([id], bench.now, deed=deed)
        assert await log(bench) == []

    async def test_a_retry_whose_unique_key_is_taken_brings_no_deed(self, bench: Bench) -> None:
        id = await bench.bring(Status.FAILED, unique_key="k")
        await bench.add(unique_key="k")
        assert (await bench.store.retry(id, bench.now, deed=deed_of(bench))).holder is not None
        assert await log(bench) == []

    async def test_a_second_retry_of_a_job_that_has_failed_again_is_a_second_deed(self, bench: Bench) -> None:
        id = await bench.add(max_attempts=1)
        for _ in range(2):
            await bench.store.cancel(id, bench.now)
            await bench.store.retry(id, bench.now, deed=deed_of(bench))
        assert len(await log(bench)) == 2

    async def test_many_jobs_are_one_deed_with_their_number(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(4)]
        right = await bench.add(queue="slow")
        deed = deed_of(bench, "job.place", MANY, to="slow")
        await bench.store.place([*ids[1:], right], Placement(queue="slow"), bench.now, deed=deed)
        told = {"to": "slow", "count": 3, "first": ids[1], "last": ids[3]}
        assert await log(bench) == [msgspec.structs.replace(deed, detail=told)]
        deed = deed_of(bench, "job.purge", MANY)
        await bench.store.cancel_waiting(ids, bench.now, deed=deed)
        told = {"count": 4, "first": ids[0], "last": ids[3]}
        assert (await log(bench))[0] == msgspec.structs.replace(deed, detail=told)

    async def test_one_job_of_many_is_the_target(self, bench: Bench) -> None:
        ids = [await bench.add(), await bench.bring(Status.CANCELLED)]
        await bench.store.cancel_waiting(ids, bench.now, deed=deed_of(bench, "job.purge", MANY))
        assert [deed.target for deed in await log(bench)] == [ids[0]]

    async def test_the_time_of_a_cancelled_job_s_outcome_is_that_of_the_deed(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(2)]
        bench.clock.advance(5)
        await bench.store.cancel_waiting(ids, bench.now, deed=deed_of(bench, "job.purge", MANY))
        bench.clock.advance(5)
        assert [(await bench.last(id)).finished_at for id in ids] == [(await log(bench))[0].at] * 2

    async def test_what_names_nothing_there_brings_no_deed(self, bench: Bench) -> None:
        store, deed = bench.store, deed_of(bench)
        await store.pause(Scope.QUEUE, "mail", False, deed=deed)
        await store.limit(Scope.QUEUE, "mail", Limit(), deed=deed)
        await store.set_key("k", None, bench.now, deed=deed)
        await store.pause_key("k", False, bench.now, deed=deed)
        await store.pass_key("k", bench.now, deed=deed)
        await store.pause_schedule("nightly", True, bench.now, deed=deed)
        await store.drop_schedule("nightly", deed=deed)
        assert await log(bench) == []

    async def test_a_rule_that_is_set_again_brings_no_deed_though_time_has_brought_it_tokens(
        self, bench: Bench
    ) -> None:
        rule = GateRule(rate=1.0, burst=5)
        await bench.store.set_key("k", rule, bench.now)
        await bench.add(key="k")
        bench.clock.advance(2)
        await bench.store.set_key("k", rule, bench.now, deed=deed_of(bench))
        assert await log(bench) == []


class ReadingDeeds:
    """The newest first, page by page, and for a time."""

    async def _write(self, bench: Bench, *deeds: Deed) -> None:
        for number, deed in enumerate(deeds):
            await bench.store.pause(Scope.QUEUE, f"q{number}", True, deed=deed)

    async def test_pages_follow_each_other_from_the_newest_to_the_oldest(self, bench: Bench) -> None:
        deeds = [deed_of(bench, target=str(number)) for number in range(5)]
        await self._write(bench, *deeds)
        found: list[Deed] = []
        after: int | None = None
        while page := await bench.store.audit(AuditFilter(), after, 2):
            assert len(page) <= 2
            found += [each.deed for each in page]
            after = page[-1].number
        assert found == deeds[::-1]

    async def test_each_part_of_a_filter_and_all_together(self, bench: Bench) -> None:
        first = Deed(bench.now, "http", "queue.pause", "mail", {})
        deeds = [
            first,
            msgspec.structs.replace(first, actor="python"),
            msgspec.structs.replace(first, action="queue.limit"),
            msgspec.structs.replace(first, target="other"),
        ]
        await self._write(bench, *deeds)
        assert await log(bench, actor="python") == [deeds[1]]
        assert await log(bench, action="queue.limit") == [deeds[2]]
        assert await log(bench, target="other") == [deeds[3]]
        assert await log(bench, actor="http", action="queue.pause", target="mail") == [first]
        assert await log(bench, actor="nobody") == []
        (one,) = await bench.store.audit(AuditFilter(actor="python"), None, 1)
        assert await log(bench, after=one.number, actor="http") == [first]

    async def test_a_detail_is_read_as_it_was_written(self, bench: Bench) -> None:
        deed = deed_of(bench, none=None, text="ä\"'\\ \U0001f6a2", list=[1, 2.5, True], map={"a": {"b": []}})
        await self._write(bench, deed)
        assert await log(bench) == [deed]

    async def test_deeds_are_kept_for_their_time_and_no_longer(self, bench: Bench) -> None:
        year = 365 * 24 * 3600 * 1_000_000
        ages = [2 * year, year, KEPT, KEPT - 1, 0]
        deeds = [msgspec.structs.replace(deed_of(bench), at=bench.now - age) for age in ages]
        await self._write(bench, *deeds)
        await bench.store.prune(bench.now, 1)
        assert await log(bench) == deeds[:0:-1], "a prune looks at so many"
        await bench.store.prune(bench.now, 100)
        assert await log(bench) == deeds[:2:-1]
