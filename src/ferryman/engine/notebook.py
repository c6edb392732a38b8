"""What the runs of a node say of themselves, until it is written: their progress, and the lines that they log.

Handlers call this from any thread and at any moment, so nothing here waits. Nor is there a lock, which the exception
that ends a handler's thread might leave locked: who adds and who takes meet in operations that Python does in one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish
from ferryman.domain.report import Line, Progress, Report
from ferryman.engine.endings import MESSAGE_MAX, Hide, end_of, plain, traceback_of
from ferryman.engine.running import Running
from ferryman.store.protocol import Clock
from ferryman.store.reporting import Runs

LINES_KEPT: Final = 500
"""Of one run: the first ones. Those beyond are counted, and the node's own log has them, too."""
BYTES_KEPT: Final = 64 * 1024
"""The same; whichever bound is reached first."""
NAME_MAX: Final = 200


class Notes:
    """What one run says."""

    def __init__(self, running: Running, hide: Hide) -> None:
        """`hide` takes the secrets of the payload out of a text."""
        self.running = running
        self.hide = hide
        self.fresh = False
        """Whether there may be something that nobody has taken to be written."""
        self.progress: Progress | None = None
        self.lines: list[Line] = []
        """Those that are not written."""
        self.room = BYTES_KEPT
        self.dropped = 0
        self._first = 0
        self._written: Progress | None = None

    @property
    def full(self) -> bool:
        """Whether no more lines are kept. Once one was dropped none is, so that those kept are the first ones."""
        return self.dropped > 0 or self._first + len(self.lines) >= LINES_KEPT

    def take(self, token: int) -> Report:
        """What is to be written. It stays here until it is known to be."""
        self.fresh = False  # before looking: what comes meanwhile makes it so again
        job, progress = self.running.job, self.progress
        return Report(
            job.id,
            job.number,
            job.attempt,
            job.batch,
            token,
            None if progress is self._written else progress,
            self._first,
            self.lines[:],
            self.dropped,
        )

    def written(self, report: Report) -> None:
        """Forget what a report has told."""
        self._written = report.progress or self._written
        del self.lines[: len(report.lines)]
        self._first += len(report.lines)


class Notebook:
    """The notes of all runs of a node that have said something and have not ended."""

    def __init__(
        self, clock: Clock, hiding: Callable[[ClaimedJob], Hide], on_news: Callable[[], None] = lambda: None
    ) -> None:
        """Make an empty one.

        Args:
            hiding: what takes the secrets of a job out of texts.
            on_news: called, from any thread, when a run says the first thing since its notes were taken.
        """
        self._clock = clock
        self._hiding = hiding
        self._on_news = on_news
        self._open: dict[tuple[str, int], Notes] = {}

    def __len__(self) -> int:
        return len(self._open)

    # -- what runs say, in any thread ------------------------------------------------------------

    def progress(self, running: Running, done: float, total: float | None, message: str) -> None:
        """How far a run is; only the newest is kept."""
        notes = self._notes(running)
        if notes is not None:
            text = plain(notes.hide(message))[:MESSAGE_MAX]
            notes.progress = Progress(done, total, text, self._clock.now())
            self._news(notes)

    def line(self, running: Running, record: logging.LogRecord) -> None:
        """What a run logs. Past the bounds it costs no more than to be counted."""
        notes = self._notes(running)
        if notes is None:
            return
        line = None if notes.full else self._line(record, notes.hide)
        size = 0 if line is None else len(line.message.encode())
        if line is None or size > notes.room:
            notes.dropped += 1
        else:
            notes.room -= size
            notes.lines.append(line)
        self._news(notes)

    def _notes(self, running: Running) -> Notes | None:
        """The run's own; None where nobody listens to it any more."""
        run = (running.job.id, running.job.number)
        notes = self._open.get(run)
        if notes is None and _is_heard(running):
            notes = self._open.setdefault(run, Notes(running, self._hiding(running.job)))
            # asked again now that the notes are there, so that those of a run that ends meanwhile do not stay
            if not _is_heard(running):
                self._open.pop(run, None)
        return notes if _is_heard(running) else None

    def _line(self, record: logging.LogRecord, hide: Hide) -> Line:
        text = plain(hide(record.getMessage()))[:MESSAGE_MAX]
        traceback = _traceback(record, hide)
        return Line(
            self._clock.now(),
            plain(record.levelname.lower())[:NAME_MAX],
            plain(record.name)[:NAME_MAX],
            f"{text}\n{traceback}" if traceback else text,
        )

    def _news(self, notes: Notes) -> None:
        if not notes.fresh:
            notes.fresh = True
            self._on_news()

    # -- who writes it, on the event loop --------------------------------------------------------

    @property
    def has_news(self) -> bool:
        """Whether some run has said something that nobody has taken."""
        return any(each.fresh for each in list(self._open.values()))

    def news(self) -> list[Report]:
        """What is new of all runs."""
        return [each.take(_token(each.running)) for each in list(self._open.values()) if each.fresh]

    def last(self, finishes: Iterable[Finish]) -> list[Report]:
        """What is left of runs that end, told under the tokens by which their outcomes are known."""
        told = [(self._open.get((each.id, each.number)), each.token) for each in finishes]
        return [notes.take(token) for notes, token in told if notes is not None and notes.fresh]

    def written(self, reports: Sequence[Report]) -> None:
        """Forget what was written."""
        for each in reports:
            notes = self._open.get((each.id, each.number))
            if notes is not None:
                notes.written(each)

    def kept(self, reports: Sequence[Report]) -> None:
        """What was taken could not be written: it is new as before."""
        for each in reports:
            notes = self._open.get((each.id, each.number))
            if notes is not None:
                notes.fresh = True

    def outdated(self, reports: Iterable[Report], fenced: Runs) -> list[Report]:
        """Those of the fenced reports that were told before their runs wrote their outcomes themselves.

        Nobody has fenced such a run: it has ended under a token that the report could not know.
        """
        told = [(self._open.get((each.id, each.number)), each) for each in reports if (each.id, each.number) in fenced]
        return [each for notes, each in told if notes is not None and _token(notes.running) != each.token]

    def close(self, runs: Iterable[tuple[str, int]]) -> list[ClaimedJob]:
        """Listen to these runs (id, claim number) no more; gives the jobs of those that had said something."""
        closed = [notes for run in runs if (notes := self._open.pop(run, None)) is not None]
        for each in closed:
            each.running.unheard = True
        return [each.running.job for each in closed]


def _is_heard(running: Running) -> bool:
    """Asked anew each time, as the loop says so while another thread is here."""
    return not running.unheard


def _token(running: Running) -> int:
    """By what the outcome of a run is known, if it writes or has written one itself."""
    return running.completing or running.run.token


def _traceback(record: logging.LogRecord, hide: Hide) -> str:
    """The traceback of the exception that was logged, here or in a worker process."""
    if record.exc_info:
        return "" if record.exc_info[1] is None else traceback_of(record.exc_info[1], hide)
    return end_of(plain(hide(record.exc_text))) if record.exc_text else ""
