"""The groups of verbs of a `Remote`: `remote.schedules.pause(name)`, `await remote.schedules.apause(name)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from ferryman.http.remote.access import ApiKeys
from ferryman.http.remote.controls import Controls
from ferryman.http.remote.error_groups import ErrorGroups
from ferryman.http.remote.faces import Face, both
from ferryman.http.remote.keys import Keys
from ferryman.http.remote.operations import Operations
from ferryman.http.remote.options import CallLike
from ferryman.http.remote.reports import Reports
from ferryman.http.remote.rules import Rules
from ferryman.http.remote.schedules import ScheduleOptions, Schedules, ToldSchedule, schedule_of


class RuleVerbs(Face[Rules]):
    """What holds for all jobs of a queue or a type."""

    all, aall = both(Rules.all)
    pause, apause = both(Rules.pause)
    resume, aresume = both(Rules.resume)
    limit, alimit = both(Rules.limit)


class ControlVerbs(Face[Controls]):
    """What those say who look after queues."""

    placement = staticmethod(Controls.placement)
    place, aplace = both(Controls.place)
    delete, adelete = both(Controls.delete)
    purge, apurge = both(Controls.purge)
    would_purge, awould_purge = both(Controls.would_purge)
    retry_all, aretry_all = both(Controls.retry_all)
    would_retry, awould_retry = both(Controls.would_retry)


class ScheduleVerbs(Face[Schedules]):
    """Jobs by the clock."""

    def put(
        self,
        name: str,
        cron: str,
        what: CallLike[Any] | str,
        payload: Mapping[str, Any] | None = None,
        /,
        **given: Unpack[ScheduleOptions],
    ) -> ToldSchedule:
        """Create a schedule, or change the one of its name. Gives it as it is now.

        Args:
            name: of the schedule.
            cron: when its jobs are made, such as "30 2 * * MON-FRI".
            what: the call, or the name of the type.
            payload: for a type, the handler's keyword arguments.
            given: options of the schedule and of its jobs; those of a call stay as they are where nothing is given.

        Raises:
            BadOption: an option is not allowed.
            BadSchedule: the expression is none, or the time zone.
            EnqueueError, WrongContent: its job would be refused.
            SyncInsideLoop: an event loop runs here; await the twin.
        """
        request = schedule_of(name, cron, what, payload, **given)
        return self.way.call(lambda client: client.schedules.put(request), "aput()")

    async def aput(
        self,
        name: str,
        cron: str,
        what: CallLike[Any] | str,
        payload: Mapping[str, Any] | None = None,
        /,
        **given: Unpack[ScheduleOptions],
    ) -> ToldSchedule:
        """As `put`, without blocking."""
        request = schedule_of(name, cron, what, payload, **given)
        return await self.way.acall(lambda client: client.schedules.put(request))

    list, alist = both(Schedules.list)
    get, aget = both(Schedules.get)
    runs, aruns = both(Schedules.runs)
    pause, apause = both(Schedules.pause)
    resume, aresume = both(Schedules.resume)
    drop, adrop = both(Schedules.drop)
    run, arun = both(Schedules.run)


class OperationVerbs(Face[Operations]):
    """Changes of every job that a filter means."""

    start, astart = both(Operations.start)
    count, acount = both(Operations.count)
    list, alist = both(Operations.list)
    get, aget = both(Operations.get)
    cancel, acancel = both(Operations.cancel)


class KeyVerbs(Face[Keys]):
    """The keys of jobs, and their gates."""

    list, alist = both(Keys.list)
    get, aget = both(Keys.get)
    set, aset = both(Keys.set)
    unset, aunset = both(Keys.unset)
    pause, apause = both(Keys.pause)
    resume, aresume = both(Keys.resume)
    let_pass, alet_pass = both(Keys.let_pass)


class AccessVerbs(Face[ApiKeys]):
    """Who may use the HTTP API."""

    list, alist = both(ApiKeys.list)
    add, aadd = both(ApiKeys.add)
    rotate, arotate = both(ApiKeys.rotate)
    revoke, arevoke = both(ApiKeys.revoke)


class ReportVerbs(Face[Reports]):
    """What runs say of themselves."""

    progress, aprogress = both(Reports.progress)
    logs, alogs = both(Reports.logs)
    all_logs, aall_logs = both(Reports.all_logs)


class ErrorVerbs(Face[ErrorGroups]):
    """What attempts have failed of."""

    list, alist = both(ErrorGroups.list)
    get, aget = both(ErrorGroups.get)
