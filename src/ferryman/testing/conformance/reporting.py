"""What runs say of themselves: progress and log lines, fenced as outcomes are, and gone with their job."""

from __future__ import annotations

from typing import Any, Final

from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import What
from ferryman.domain.report import Line, LogLine, Logs, Progress, ProgressOf, Report
from ferryman.testing.conformance.bench import MANY, Bench

NOTHING: Final = Logs([])


def progress(done: float, total: float | None = None, message: str = "", at: int = 1) -> Progress:
    """How far a run is."""
    return Progress(done, total, message, at)


def line(message: str, at: int = 1) -> Line:
    """One line that a run has logged."""
    return Line(at, "info", "shop.mail", message)


def report(job: ClaimedJob, said: Progress | None = None, *lines: str, **more: Any) -> Report:
    """What a run says."""
    return Report(
        job.id,
        job.number,
        job.attempt,
        job.batch,
        progress=said,
        lines=[line(each) for each in lines],
        **{"token": 7, **more},
    )


class _Reports:
    """Short names."""

    async def say(self, bench: Bench, *reports: Report, node: int | None = None) -> frozenset[tuple[str, int]]:
        """Report for a node, the first one by default; gives the runs that were fenced."""
        return await bench.store.report(await bench.home() if node is None else node, reports)

    async def read(self, bench: Bench, id: str, **asked: Any) -> list[tuple[int, str]]:
        """(claim number, message) of each line."""
        return [(each.number, each.line.message) for each in (await bench.store.logs(id, **asked)).lines]

    async def ignored(self, bench: Bench, late: Report, node: int | None = None) -> None:
        """A report must be fenced, and change nothing."""
        before = await bench.store.progress(late.id), await bench.store.logs(late.id)
        assert await self.say(bench, late, node=node) == {(late.id, late.number)}
        assert (await bench.store.progress(late.id), await bench.store.logs(late.id)) == before


class Progressing(_Reports):
    """The newest progress of a job is read, while its run is under way and after it."""

    async def test_nothing_was_said_by_a_job_that_said_nothing(self, bench: Bench) -> None:
        job = await bench.start()
        assert await bench.store.progress(job.id) is None
        assert await bench.store.progress("no-such-job") is None

    async def test_the_newest_progress_counts(self, bench: Bench) -> None:
        job = await bench.start()
        for each in (progress(1, 3), progress(2.5, 3, "nearly", at=5), progress(0, None, "again", at=4)):
            assert await self.say(bench, report(job, each)) == frozenset()
            assert await bench.store.progress(job.id) == ProgressOf(job.number, each)

    async def test_runs_of_one_report_are_told_apart(self, bench: Bench) -> None:
        one, two = await bench.start(), await bench.start()
        await self.say(bench, report(one, progress(1)), report(two, progress(2), "a line"))
        assert await bench.store.progress(one.id) == ProgressOf(one.number, progress(1))
        assert await bench.store.progress(two.id) == ProgressOf(two.number, progress(2))
        assert await bench.store.logs(one.id) == NOTHING

    async def test_it_stays_after_the_end_and_until_a_later_run_says_something(self, bench: Bench) -> None:
        job = await bench.start()
        await self.say(bench, report(job, progress(9, 10)))
        await bench.finish(job, What.RELEASED)
        assert await bench.store.progress(job.id) == ProgressOf(1, progress(9, 10))
        again = await bench.claim_one()
        await self.say(bench, report(again, None, "a line is no progress"))
        assert await bench.store.progress(job.id) == ProgressOf(1, progress(9, 10))
        await self.say(bench, report(again, progress(1, 10)))
        assert await bench.store.progress(job.id) == ProgressOf(2, progress(1, 10))

    async def test_lines_do_not_take_the_place_of_a_progress(self, bench: Bench) -> None:
        job = await bench.start()
        await self.say(bench, report(job, progress(1)))
        await self.say(bench, report(job, None, "a line", dropped=3))
        assert await bench.store.progress(job.id) == ProgressOf(1, progress(1))

    async def test_texts_come_back_as_they_were_said(self, bench: Bench) -> None:
        job = await bench.start()
        text = "quote ' \" \\\\ , { } NULL\nand \N{GREEK SMALL LETTER OMEGA} \U0001f980"
        await self.say(bench, report(job, progress(2**53 + 1, 10**17, text), text))
        assert await bench.store.progress(job.id) == ProgressOf(1, progress(2**53 + 1, 10**17, text))
        assert await self.read(bench, job.id) == [(1, text)]

    async def test_nothing_to_report_is_no_mistake(self, bench: Bench) -> None:
        assert await self.say(bench) == frozenset()


class Logging(_Reports):
    """Lines are read in the order in which they were logged, run by run."""

    async def test_lines_keep_their_order_over_many_reports(self, bench: Bench) -> None:
        job = await bench.start()
        for first in range(0, 900, 300):
            await self.say(bench, report(job, None, *(f"line {first + n}" for n in range(300)), first=first))
        assert await self.read(bench, job.id) == [(1, f"line {n}") for n in range(900)]

    async def test_a_line_is_told_with_all_that_is_known_of_it(self, bench: Bench) -> None:
        job = await bench.start()
        said = Line(bench.now, "warning", "shop.mail", "full")
        await self.say(bench, Report(job.id, job.number, 4, job.batch, 7, first=2, lines=[said]))
        assert await bench.store.logs(job.id) == Logs([LogLine(1, 4, 2, said)])

    async def test_attempts_are_told_apart(self, bench: Bench) -> None:
        job = await bench.start()
        await self.say(bench, report(job, None, "one", "two", dropped=2))
        await bench.finish(job, What.FAILED, delay=0.0)
        await bench.store.promote(bench.now, MANY)
        again = await bench.claim_one()
        await self.say(bench, report(again, None, "three", dropped=5))
        logs = await bench.store.logs(job.id)
        assert [(each.number, each.attempt, each.place) for each in logs.lines] == [(1, 1, 0), (1, 1, 1), (2, 2, 0)]
        assert logs.dropped == 7
        assert await self.read(bench, job.id, claim=2) == [(2, "three")]
        assert [(await bench.store.logs(job.id, claim)).dropped for claim in (1, 2, 3)] == [2, 5, 0]

    async def test_a_report_whose_reply_was_lost_doubles_nothing(self, bench: Bench) -> None:
        job = await bench.start()
        first = report(job, progress(1), "one", "two", dropped=1)
        for each in (first, first, report(job, progress(2), "other", "other", "three", dropped=4), first):
            assert await self.say(bench, each) == frozenset()
        logs = await bench.store.logs(job.id)
        assert [each.line.message for each in logs.lines] == ["one", "two", "three"]
        assert logs.dropped == 4

    async def test_pages_follow_one_another(self, bench: Bench) -> None:
        job = await bench.start()
        await self.say(bench, report(job, None, "one", "two", "three"))
        await bench.finish(job, What.RELEASED)
        await self.say(bench, report(await bench.claim_one(), None, "four"))
        found: list[LogLine] = []
        while page := (
            await bench.store.logs(job.id, None, (found[-1].number, found[-1].place) if found else None, 2)
        ).lines:
            assert len(page) == 2
            found += page
        assert [each.line.message for each in found] == ["one", "two", "three", "four"]
        assert await self.read(bench, job.id, claim=1, after=(1, 1)) == [(1, "three")]
        assert await self.read(bench, job.id, after=(9, 9)) == []

    async def test_there_are_no_lines_of_a_job_that_logged_nothing(self, bench: Bench) -> None:
        assert await bench.store.logs((await bench.start()).id) == NOTHING
        assert await bench.store.logs("no-such-job") == NOTHING


class FencingReports(_Reports):
    """A run that has lost its claim says nothing more; one that has ended by itself may still say its last."""

    async def test_a_rescued_run_changes_nothing(self, bench: Bench) -> None:
        job = await bench.start()
        await self.say(bench, report(job, progress(1), "one"))
        await bench.bury(await bench.home())
        await self.ignored(bench, report(job, progress(2), "late", first=1))
        await self.ignored(bench, report(job, progress(2), "late", first=1, token=0))

    async def test_the_run_of_an_old_claim_changes_nothing_for_the_new_one(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.finish(job, What.RELEASED)
        again = await bench.claim_one()
        await self.say(bench, report(again, progress(1), "one"))
        await self.ignored(bench, report(job, progress(2), "late"))

    async def test_another_node_changes_nothing(self, bench: Bench) -> None:
        job = await bench.start()
        await self.ignored(bench, report(job, progress(1), "one"), node=await bench.node())

    async def test_a_run_whose_cancel_was_forced_changes_nothing(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.store.cancel(job.id, bench.now)
        bench.clock.advance(60)
        assert await bench.store.force_cancel(bench.now, bench.now) == 1
        await self.ignored(bench, report(job, progress(1), "late"))

    async def test_a_run_of_an_unknown_job_changes_nothing(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.finish(job)
        bench.clock.advance(1_000)
        assert await bench.store.prune(bench.now, MANY) == 1
        await self.ignored(bench, report(job, progress(1), "late"))

    async def test_what_the_outcome_was_written_by_may_say_its_last(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.write(bench.ended(job, What.DONE, token=7))
        assert await self.say(bench, report(job, progress(3, 3), "the end")) == frozenset()
        assert await bench.store.progress(job.id) == ProgressOf(1, progress(3, 3))
        await self.ignored(bench, report(job, progress(1), "another run", first=1, token=8))

    async def test_one_fenced_report_does_not_harm_its_neighbours(self, bench: Bench) -> None:
        first, second = await bench.start(), await bench.start()
        await bench.finish(first)
        fenced = await self.say(bench, report(first, progress(1), "late"), report(second, progress(2), "one"))
        assert fenced == {(first.id, first.number)}
        assert await bench.store.progress(second.id) == ProgressOf(1, progress(2))
        assert await self.read(bench, first.id) == []

    async def test_it_goes_with_the_job(self, bench: Bench) -> None:
        job = await bench.start()
        await self.say(bench, report(job, progress(1), "one", dropped=1))
        await bench.finish(job)
        bench.clock.advance(1_000)
        assert await bench.store.prune(bench.now, MANY) == 1
        assert await bench.store.progress(job.id) is None
        assert await bench.store.logs(job.id) == NOTHING

    async def test_it_goes_with_a_job_that_a_person_deletes(self, bench: Bench) -> None:
        job, other = await bench.start(), await bench.start()
        await self.say(bench, report(job, progress(1), "one", dropped=1), report(other, progress(2), "two"))
        await bench.finish(job)
        await bench.finish(other)
        assert (await bench.store.delete(job.id, bench.now)).gone
        assert await bench.store.progress(job.id) is None
        assert await bench.store.logs(job.id) == NOTHING
        assert await self.read(bench, other.id) == [(1, "two")]
