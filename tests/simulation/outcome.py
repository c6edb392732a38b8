"""One seed from its plan to its verdict."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from ferryman.domain.errors import FerrymanError
from ferryman.testing.history import check, sometimes
from ferryman.testing.history.history import History, Violation
from tests.simulation.loop import SimLoop, Stuck
from tests.simulation.plan import Plan
from tests.simulation.stage import Stage

STUCK = "stuck"
"""Stands where a violation names its promise, for a world that came to no end."""
UNEXPECTED = "unexpected"
"""The same, for an exception that nobody expected."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of one seed."""

    seed: int
    violations: list[Violation]
    reached: dict[str, int]
    jobs: int
    entries: int
    digest: str
    """Of the whole history: the same on every machine."""


def judge(plan: Plan) -> tuple[Outcome, History | None]:
    """Play a plan and check its history; there is none if the world came to no end."""
    try:
        history, surprises = play(plan)
    except Stuck as error:
        violation = Violation(STUCK, str(error))
        return Outcome(plan.seed, [violation], {}, 0, 0, ""), None
    digest = hashlib.sha256(b"".join(history.lines())).hexdigest()[:16]
    found = [*check(history), *(Violation(UNEXPECTED, each) for each in surprises)]
    reached = dict(sometimes(history))
    return Outcome(plan.seed, found, reached, len(history.final.jobs), len(history.entries), digest), history


def play(plan: Plan) -> tuple[History, list[str]]:
    """Run one plan to its end; gives its history, and the exceptions that nobody expected.

    Raises:
        Stuck: the world came to no end.
    """
    surprises: list[str] = []
    heard: list[str] = []
    history: History | None = None
    stuck = ""
    with _folder() as folder, _listening(surprises), _no_garbage():
        loop = SimLoop(random.Random(f"order {plan.seed}"))
        loop.set_exception_handler(lambda _loop, context: _unhandled(surprises, context))
        try:
            history = loop.run_until_complete(Stage(plan, loop, folder / "jobs.db").play())
        except Stuck as error:
            stuck = str(error)  # not the error: its traceback would keep the run alive
        finally:
            heard = surprises[:]
            with _nobody_listening() as ignored:
                loop.dispose()
                del loop
                gc.collect()
                if ignored:
                    gc.collect()  # what was begun in a `finally` meanwhile, and could not be
    if history is None:
        raise Stuck(stuck)
    return history, heard


@contextmanager
def _folder() -> Generator[Path]:
    """A place for the database, in memory where there is one."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="ferryman-simulation-", dir=memory if memory.is_dir() else None)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _no_garbage() -> Generator[None]:
    """Collect garbage between runs only: a dead process's coroutines must not be closed while the run lasts."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def _nobody_listening() -> Generator[list[None]]:
    """What a dead process does in a `finally`, once it is collected, meets a closed loop: that is no news. Gives as
    many entries as there were such errors. Where it asks for a loop there is one, or asyncio would leave one open."""
    hook, loop = sys.unraisablehook, asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    ignored: list[None] = []
    sys.unraisablehook = lambda _unraisable: ignored.append(None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield ignored
    finally:
        sys.unraisablehook = hook
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def _listening(surprises: list[str]) -> Generator[None]:
    """The product's log is not shown; errors in it that are not its own words are surprises."""
    logger, handler = logging.getLogger("ferryman"), _Listener(surprises)
    before = logger.propagate, logger.level
    logger.propagate, logger.level = False, logging.WARNING
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate, logger.level = before


class _Listener(logging.Handler):
    def __init__(self, surprises: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._surprises = surprises

    def emit(self, record: logging.LogRecord) -> None:
        ours = getattr(record, "event", "") == "raised_after_commit"  # what a handler raised, as planned
        if record.exc_info and record.exc_info[1] is not None and not ours:
            _surprise(self._surprises, record.exc_info[1])


def _unhandled(surprises: list[str], context: dict[str, Any]) -> None:
    """What the loop complains of: a callback or a task that failed. A future may die unheard with its process."""
    future = context.get("future")
    if future is None or isinstance(future, asyncio.Task):
        _surprise(surprises, context.get("exception"))


def _surprise(surprises: list[str], error: BaseException | None) -> None:
    if error is not None and not isinstance(error, FerrymanError | asyncio.CancelledError):
        frame: Any = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = "" if frame is None else f" at {Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
        surprises.append(f"{type(error).__name__}: {error}{where}")


def tally(outcomes: list[Outcome]) -> Counter[str]:
    """In how many seeds each situation was reached."""
    reached: Counter[str] = Counter()
    for outcome in outcomes:
        reached.update(name for name, times in outcome.reached.items() if times)
    return reached
