"""What a test asks about the jobs that were enqueued."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final, ParamSpec, overload

from ferryman.domain import options
from ferryman.domain.errors import UnknownType
from ferryman.domain.job import NewJob
from ferryman.domain.report import Line, Progress
from ferryman.domain.state import Status
from ferryman.domain.suggest import did_you_mean
from ferryman.testing.kit.seen import SeenJob, seen
from ferryman.testing.kit.store import at_once
from ferryman.testing.kit.wanted import CallLike, JobLike, Wanted, spelled, wanted
from ferryman.testing.kit.world import KitWorld

P = ParamSpec("P")

_SHOWN: Final = 5
"""So many jobs are told of when the one that was looked for is not there."""

_LINES: Final = 2**31


class Look:
    """The half of a queue that changes nothing; the same in sync and async tests."""

    __test__ = False  # pytest is not to take a queue for a test

    def __init__(self, world: KitWorld) -> None:
        self._world = world

    @property
    def now(self) -> datetime:
        """What the test's clock shows, in UTC. Compute the times that you give to `call(..).at(..)` from it."""
        return self._world.moment()

    def jobs(
        self, job: JobLike[...] | str | None = None, status: Status | str | None = None, filter: str = ""
    ) -> list[SeenJob]:
        """The jobs that were enqueued in this test, in that order.

        Args:
            job: only those of this job, or of the type of this name.
            status: only those that are now "scheduled", "pending", "completed" ...
            filter: only those that fit, such as "payload.user.id:42 -tag:nightly" (docs/filters.md).

        Raises:
            UnknownType: the app has no such type.
            BadOption: there is no such status.
            BadFilter: the filter cannot be read.
        """
        type = None if job is None else self._known(wanted(job, (), {})).type
        only = None if status is None else _status(status)
        found = (seen(each) for each in self._world.jobs(filter))
        return [each for each in found if type in (None, each.type) and only in (None, each.status)]

    @overload
    def assert_enqueued(self, what: JobLike[...] | CallLike | str, /) -> SeenJob: ...
    @overload
    def assert_enqueued(self, what: JobLike[P], /, *args: P.args, **kwargs: P.kwargs) -> SeenJob: ...
    def assert_enqueued(self, what: Any, /, *args: Any, **kwargs: Any) -> SeenJob:
        """Fail unless such a job was enqueued in this test, whatever has become of it; gives the latest.

        Args:
            what: a job, for one with any arguments; a job followed by arguments; a call such as
                `job.call("a").options(priority=1).later(60)`, for its arguments and options; or a type's name.
            args: the arguments, by position.
            kwargs: the arguments, by name. One that is left out stands for its default.

        Raises:
            AssertionError: there is none; it says what there is instead.
            UnknownType: the app has no such type.
            EnqueueError: the job cannot be called with these arguments.
        """
        __tracebackhide__ = True
        looked_for = self._known(wanted(what, args, kwargs))
        found = self._fitting(looked_for)
        if not found:
            raise AssertionError(self._instead(looked_for))
        return next(each for each in self.jobs() if each.id == found[-1].id)

    @overload
    def assert_not_enqueued(self, what: JobLike[...] | CallLike | str, /) -> None: ...
    @overload
    def assert_not_enqueued(self, what: JobLike[P], /, *args: P.args, **kwargs: P.kwargs) -> None: ...
    def assert_not_enqueued(self, what: Any, /, *args: Any, **kwargs: Any) -> None:
        """Fail if such a job was enqueued in this test; what can be said is as in `assert_enqueued`."""
        __tracebackhide__ = True
        looked_for = self._known(wanted(what, args, kwargs))
        if found := self._fitting(looked_for):
            lines = [f"Enqueued all the same: {looked_for}.", *map(self._line, found[:_SHOWN]), *_more(found)]
            raise AssertionError("\n".join(lines))

    def progress(self, job: SeenJob | str) -> Progress | None:
        """What a job said last with `ctx.progress`: `done`, `total`, `message`, `fraction`; None where it said nothing.

        `job` is one that this queue gave, or its id.
        """
        told = at_once(self._world.store.progress(_id(job)))
        return None if told is None else told.progress

    def logs(self, job: SeenJob | str) -> list[Line]:
        """What the runs of a job have logged, from the level info on: `at`, `level`, `logger`, `message`.

        As everywhere, it is Python's logging that says what it lets through; in pytest `caplog.set_level("INFO")` does.
        """
        return [each.line for each in at_once(self._world.store.logs(_id(job), limit=_LINES)).lines]

    # -- how ----------------------------------------------------------------------------------------

    def _known(self, looked_for: Wanted) -> Wanted:
        """Refuse a type that nobody declared or enqueued: a test that asks for it would ask for nothing."""
        known = self._world.registry.types | {job.type for job in self._handed_in()}
        if looked_for.type not in known:
            raise UnknownType(
                f"The app has no type {looked_for.type}.",
                why=did_you_mean(looked_for.type, known),
                hint="Import the module that declares it, or correct the name.",
            )
        return looked_for

    def _handed_in(self) -> list[NewJob]:
        return list(at_once(self._world.store.handed_in()))

    def _differences(self, looked_for: Wanted, job: NewJob) -> list[str]:
        return looked_for.differences(job, self._world.registry.get(job.type))

    def _fitting(self, looked_for: Wanted) -> list[NewJob]:
        jobs = (job for job in self._handed_in() if job.type == looked_for.type)
        return [job for job in jobs if not self._differences(looked_for, job)]

    def _instead(self, looked_for: Wanted) -> str:
        """What there is instead of a job that was looked for; the nearest first."""
        jobs = self._handed_in()
        same = [(job, self._differences(looked_for, job)) for job in jobs if job.type == looked_for.type]
        same.sort(key=lambda pair: len(pair[1]))
        lines = [f"Not enqueued: {looked_for}."]
        lines += [f"{self._line(job)}: {'; '.join(found)}" for job, found in same[:_SHOWN]]
        lines += _more(same)
        others = Counter(job.type for job in jobs if job.type != looked_for.type)
        if others:
            lines.append("Of other types: " + ", ".join(f"{type} ({count})" for type, count in others.items()) + ".")
        if not jobs:
            lines.append("Nothing was enqueued at all.")
        return "\n".join(lines)

    def _line(self, job: NewJob) -> str:
        return f"  {job.type}({spelled(job.payload)})"


def _id(job: SeenJob | str) -> str:
    return job if isinstance(job, str) else job.id


def _more(found: list[Any]) -> list[str]:
    return [f"  and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []


def _status(value: str) -> Status:
    try:
        return Status(value)
    except ValueError:
        raise options.refused("status", value, ", ".join(Status)) from None
