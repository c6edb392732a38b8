"""`crash_test`: which of a handler's effects are doubled or lost when its node is killed in the middle of them."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from ferryman.app import Ferryman
from ferryman.calls import Call
from ferryman.client import JobRequest
from ferryman.crashing import effects as declared
from ferryman.crashing.effects import Effect
from ferryman.crashing.points import Met, Point, code_of
from ferryman.crashing.report import CrashReport, Finding
from ferryman.crashing.stage import Subject, make_file
from ferryman.crashing.trials import Trials
from ferryman.domain import options
from ferryman.domain.errors import CrashTestImpossible, SyncInsideLoop
from ferryman.domain.ids import IdMinter
from ferryman.engine.clock import SystemClock
from ferryman.settings import load

PAIRS: Final = 3
"""How many pairs of points are drawn, to kill the node at both; fewer if one is drawn again."""


def crash_test(
    app: Ferryman,
    call: Call[Any],
    *,
    effects: Mapping[str, Effect],
    setup: Callable[[Path], object] | None = None,
    seed: int = 0,
    most: int = 100,
    timeout: float = 30.0,
    check: bool = True,
) -> CrashReport:
    """Run a job again and again, and each time kill its node, or freeze it, at another point of its handler.

    A point is each line of the file in which the handler is written, when it is about to run, each wait of it, and
    the handler's end. Every trial has a database of its own in a temporary folder, and real nodes in forked
    processes. What the effects come to is compared with what they are after a run that nobody disturbed.

    Args:
        app: whose handler it is.
        call: the job, such as `pay.call(7)`.
        effects: by name, functions that say of a trial's database what has happened: an int, or an iterable of
            hashable values whose order counts for nothing. The jobs beside the tested one are looked at anyway.
        setup: called with the path of each trial's database before the job is enqueued, in this process: make tables
            of your own there, and tell your module which files beside it to use. It must leave no connection open.
        seed: decides which points are drawn.
        most: how many points are tried; of more than that some are drawn.
        timeout: seconds that one trial may take.
        check: whether to raise if something is found.

    Raises:
        AssertionError: something was found; its text is that of the report.
        CrashTestImpossible: there is nothing to compare with, or this system cannot fork.
        BadOption: an argument cannot be used.
        AlreadyTesting: `app.testing()` is in force.
        SyncInsideLoop: an event loop runs here.
        SettingsError, StoreError: a setting is wrong, or no database can be made.
    """
    __tracebackhide__ = True
    _check_place(app)
    _check_arguments(app, call, most, timeout)
    declared.check(effects)
    settings = load({}, os.environ, Path.cwd(), app.overrides).settings
    with TemporaryDirectory(prefix="ferryman-", ignore_cleanup_errors=True) as folder:
        subject = Subject(app, _named(call.request), settings, setup, timeout, Path(folder).resolve())
        make_file(subject)
        report = _play(Trials(subject, effects), subject, seed, most)
    if check and not report.ok:
        raise AssertionError(str(report))
    return report


def _play(trials: Trials, subject: Subject, seed: int, most: int) -> CrashReport:
    rng = random.Random(seed)
    course = trials.undisturbed()
    points = drawn(rng, _file_of(subject), course.met, most)
    pairs = dict.fromkeys((rng.choice(points), rng.choice(points)) for _ in range(min(PAIRS, len(points))))
    findings: list[Finding] = []
    for point in points:
        findings += trials.killed(course, point)
    for point in points:
        findings += trials.overtaken(course, point)
    for pair in pairs:
        findings += trials.killed(course, *pair)
    return CrashReport(
        type=subject.request.type,
        seed=seed,
        most=most,
        met=sum(each.times for each in course.met),
        tried=len(points),
        trials=trials.count,
        findings=tuple(findings),
        missed=tuple(trials.missed),
        held=tuple(trials.held),
        unchanged=course.unchanged,
    )


def drawn(rng: random.Random, file: str, met: Sequence[Met], most: int) -> list[Point]:
    """At most so many points, in the order of the handler's lines.

    The first visit to each place goes before all later ones: a loop must not hide the line behind it.
    """
    first = [Point(file, each.line, each.what) for each in met]
    again = [Point(file, each.line, each.what, nth) for each in met for nth in range(2, each.times + 1)]
    points = rng.sample(first, min(most, len(first)))
    points += rng.sample(again, min(most - len(points), len(again)))
    order = {(each.line, each.what): place for place, each in enumerate(met)}
    return sorted(points, key=lambda point: (order[point.line, point.what], point.nth))


def _named(request: JobRequest) -> JobRequest:
    """With an id, the same in all trials: what a handler makes of it can be compared."""
    if request.id is not None:
        return request
    return msgspec.structs.replace(request, id=IdMinter(random.Random()).mint(SystemClock().now()))


def _file_of(subject: Subject) -> str:
    handler = subject.app.registry.get(subject.request.type)
    assert handler is not None
    return code_of(handler).co_filename


def _check_place(app: Ferryman) -> None:
    """Whether a node can be forked here."""
    if not (hasattr(os, "fork") and hasattr(os, "waitid")):
        raise CrashTestImpossible(
            "This system cannot fork processes, or not wait for them.",
            hint="Run it on Linux, or on macOS with Python 3.13.",
        )
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise SyncInsideLoop(
            "crash_test blocks, and an event loop runs in this thread.",
            why="The nodes that it forks need one of their own.",
            hint="Call it in a test that is written with `def`.",
        )
    with app.testing():
        pass  # raises where that is in force already: what handlers enqueue would go into that test's memory


def _check_arguments(app: Ferryman, call: object, most: object, timeout: object) -> None:
    if not isinstance(call, Call):
        raise options.refused("call", call, "what job.call(...) gives")
    if app.registry.get(call.request.type) is None:
        raise CrashTestImpossible(
            f"The app has no job of type {call.request.type}.", hint="Give the app in which it is declared."
        )
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise options.refused("most", most, "an integer from 1 on")
    options.timeout(timeout)
