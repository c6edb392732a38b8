"""The trials: one run that nobody disturbs, then runs that are killed, overtaken, killed twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from ferryman.crashing import effects
from ferryman.crashing.effects import JOBS, Effect, Value
from ferryman.crashing.line import Ended, Stands
from ferryman.crashing.points import Met, Point
from ferryman.crashing.report import Finding, Scenario
from ferryman.crashing.stage import Hung, Stage, Subject
from ferryman.domain.errors import CrashTestImpossible
from ferryman.domain.state import Status

Values = Mapping[str, Value]


class Course(msgspec.Struct, frozen=True):
    """How an undisturbed run went: what all others are compared with."""

    before: Values
    after: Values
    met: Sequence[Met]

    @property
    def unchanged(self) -> tuple[str, ...]:
        """The effects that the run had no part in; no jobs beside the tested one are nothing to speak of."""
        return tuple(name for name, value in self.after.items() if value == self.before[name] and name != JOBS)


class Trials:
    """Plays trials of one job."""

    def __init__(self, subject: Subject, asked: Mapping[str, Effect]) -> None:
        self._subject = subject
        self._asked = asked
        self.count = 0
        self.missed: dict[Point, None] = {}
        self.held: dict[Point, None] = {}

    def undisturbed(self) -> Course:
        """Run the job in peace.

        Raises:
            CrashTestImpossible: it did not complete, or had no effect, so there is nothing to compare with.
        """
        with Stage(self._subject) as stage:
            before = self._before(stage)
            try:
                ended = _end(stage.hear(stage.first(None)))
            except Hung as hung:
                raise _not_completed(hung.detail) from None
            stage.end()
            if ended.status != Status.COMPLETED:
                raise _not_completed(f"the job is {ended.status}: {ended.error}")
            after = self._after(stage, ended)
        if before == after:
            raise CrashTestImpossible(
                f"Nothing has changed: {', '.join(before)}.",
                why="The job completed; but what a handler keeps in memory is gone with its process.",
                hint="Keep it in the database, or in a file beside it that setup() names.",
            )
        if not ended.met:
            raise CrashTestImpossible(
                "The handler has no line at which it could be stopped.", why="Its code is not Python's."
            )
        return Course(before, after, ended.met)

    def killed(self, course: Course, *points: Point) -> list[Finding]:
        """Kill the node at a point, the next one at the next point, and let another one do the rest."""
        scenario = Scenario.KILLED if len(points) == 1 else Scenario.KILLED_TWICE

        def play(stage: Stage) -> Ended | None:
            process = stage.first(points[0])
            for number, point in enumerate(points):
                told = stage.hear(process)
                if isinstance(told, Ended):
                    if number == 0:
                        self.missed[point] = None
                    return told
                process.kill()
                process = stage.next(points[number + 1] if number + 1 < len(points) else None)
            return _end(stage.hear(process))

        return self._trial(course, scenario, points, play)

    def overtaken(self, course: Course, point: Point) -> list[Finding]:
        """Freeze the node at a point until another one has run the job, then let it go on."""

        def play(stage: Stage) -> Ended | None:
            slow = stage.first(point, blind=True)
            told = stage.hear(slow)
            if isinstance(told, Ended):
                self.missed[point] = None
                return told
            if not stage.freeze(slow):
                self.held[point] = None
                return None
            _end(stage.hear(stage.next(overtakes=True)))
            slow.line.go()  # before it wakes up, so that its handler is the first to move
            slow.thaw()
            return _end(stage.hear(slow))

        return self._trial(course, Scenario.OVERTAKEN, (point,), play)

    def _trial(
        self, course: Course, scenario: Scenario, points: tuple[Point, ...], play: Callable[[Stage], Ended | None]
    ) -> list[Finding]:
        self.count += 1
        with Stage(self._subject) as stage:
            self._expect(course.before, self._before(stage))
            try:
                ended = play(stage)
            except Hung as hung:
                return [Finding(scenario, points, "", hung.what, hung.detail)]
            stage.end()
            if ended is None:
                return []
            return _compared(course, self._after(stage, ended), ended, scenario, points)

    def _before(self, stage: Stage) -> Values:
        return {**effects.read(self._asked, stage.database, "before the job"), JOBS: ()}

    def _after(self, stage: Stage, ended: Ended) -> Values:
        values = effects.read(self._asked, stage.database, "after the job")
        return {**values, JOBS: effects.value_of(JOBS, ended.jobs)}

    def _expect(self, first: Values, before: Values) -> None:
        """Every trial begins as the first one did."""
        for name, value in before.items():
            if value != first[name]:
                raise CrashTestImpossible(
                    f"The effect {name!r} is {value!r} before trial {self.count}, and was {first[name]!r} at first.",
                    why="It is kept where all trials see it.",
                    hint="Keep it in the database, or in a file beside it that setup() names.",
                )


def _compared(
    course: Course, after: Values, ended: Ended, scenario: Scenario, points: tuple[Point, ...]
) -> list[Finding]:
    """What is not as after an undisturbed run."""
    findings: list[Finding] = []
    if ended.status != Status.COMPLETED:
        findings.append(Finding(scenario, points, "", ended.status, ended.error))
    for name, expected in course.after.items():
        difference = effects.compare(course.before[name], expected, after[name])
        if difference is not None:
            harm, detail = difference.harm, difference.detail
            findings.append(Finding(scenario, points, name, harm, detail, expected, after[name]))
    return findings


def _end(message: Stands | Ended) -> Ended:
    """What a process that has no point to stand at comes to."""
    assert isinstance(message, Ended)
    return message


def _not_completed(how: str) -> CrashTestImpossible:
    return CrashTestImpossible(
        f"The job did not complete although nothing disturbed it: {how}.",
        why="So nobody knows what its effects should be.",
        hint="Test a call that completes, within `timeout` seconds, on a node with one worker.",
    )
