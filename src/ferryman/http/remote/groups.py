"""The groups of verbs of a `Remote`: `remote.schedules.pause(name)`, `await remote.schedules.apause(name)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from ferryman.http.remote.access import ApiKeys
from ferryman.http.remote.controls import Controls
from ferryman.http.remote.faces import Awaited, Blocking, Face
from ferryman.http.remote.keys import Keys
from ferryman.http.remote.operations import Operations
from ferryman.http.remote.options import CallLike
from ferryman.http.remote.reports import Reports
from ferryman.http.remote.rules import Rules
from ferryman.http.remote.schedules import ScheduleOptions, Schedules, ToldSchedule, schedule_of


class RuleVerbs(Face[Rules]):
    """What holds for all jobs of a queue or a type."""

    all, aall = Blocking(Rules.all), Awaited(Rules.all)
    pause, apause = Blocking(Rules.pause), Awaited(Rules.pause)
    resume, aresume = Blocking(Rules.resume), Awaited(Rules.resume)
    limit, alimit = Blocking(Rules.limit), Awaited(Rules.limit)


class ControlVerbs(Face[Controls]):
    """What those say who look after queues."""

    placement = staticmethod(Controls.placement)
    place, aplace = Blocking(Controls.place), Awaited(Controls.place)
    delete, adelete = Blocking(Controls.delete), Awaited(Controls.delete)
    purge, apurge = Blocking(Controls.purge), Awaited(Controls.purge)
    would_purge, awould_purge = Blocking(Controls.would_purge), Awaited(Controls.would_purge)
    retry_all, aretry_all = Blocking(Controls.retry_all), Awaited(Controls.retry_all)
    would_retry, awould_retry = Blocking(Controls.would_retry), Awaited(Controls.would_retry)


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

    list, alist = Blocking(Schedules.list), Awaited(Schedules.list)
    get, aget = Blocking(Schedules.get), Awaited(Schedules.get)
    pause, apause = Blocking(Schedules.pause), Awaited(Schedules.pause)
    resume, aresume = Blocking(Schedules.resume), Awaited(Schedules.resume)
    drop, adrop = Blocking(Schedules.drop), Awaited(Schedules.drop)
    run, arun = Blocking(Schedules.run), Awaited(Schedules.run)


class OperationVerbs(Face[Operations]):
    """Changes of every job that a filter means."""

    start, astart = Blocking(Operations.start), Awaited(Operations.start)
    count, acount = Blocking(Operations.count), Awaited(Operations.count)
    list, alist = Blocking(Operations.list), Awaited(Operations.list)
    get, aget = Blocking(Operations.get), Awaited(Operations.get)
    cancel, acancel = Blocking(Operations.cancel), Awaited(Operations.cancel)


class KeyVerbs(Face[Keys]):
    """The keys of jobs, and their gates."""

    list, alist = Blocking(Keys.list), Awaited(Keys.list)
    get, aget = Blocking(Keys.get), Awaited(Keys.get)
    set, aset = Blocking(Keys.set), Awaited(Keys.set)
    unset, aunset = Blocking(Keys.unset), Awaited(Keys.unset)
    pause, apause = Blocking(Keys.pause), Awaited(Keys.pause)
    resume, aresume = Blocking(Keys.resume), Awaited(Keys.resume)
    let_pass, alet_pass = Blocking(Keys.let_pass), Awaited(Keys.let_pass)


class AccessVerbs(Face[ApiKeys]):
    """Who may use the HTTP API."""

    list, alist = Blocking(ApiKeys.list), Awaited(ApiKeys.list)
    add, aadd = Blocking(ApiKeys.add), Awaited(ApiKeys.add)
    rotate, arotate = Blocking(ApiKeys.rotate), Awaited(ApiKeys.rotate)
    revoke, arevoke = Blocking(ApiKeys.revoke), Awaited(ApiKeys.revoke)


class ReportVerbs(Face[Reports]):
    """What runs say of themselves."""

    progress, aprogress = Blocking(Reports.progress), Awaited(Reports.progress)
    logs, alogs = Blocking(Reports.logs), Awaited(Reports.logs)
    all_logs, aall_logs = Blocking(Reports.all_logs), Awaited(Reports.all_logs)
