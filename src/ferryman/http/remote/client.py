"""The verbs of a client, over HTTP: what an app asks for, and what `Remote` offers besides."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Unpack

from ferryman.client.commanding import NodeJob
from ferryman.client.request import MAX_BODY_DEFAULT, Catalogue
from ferryman.domain import options
from ferryman.domain.errors import PreconditionFailed, WrongState
from ferryman.domain.explain import Explanation
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import Attempt, Job
from ferryman.domain.limits import Rule, Scope
from ferryman.domain.nodes import NodeWish
from ferryman.domain.state import RETRIABLE, Status
from ferryman.engine.clock import SystemClock
from ferryman.http.about import AboutJson
from ferryman.http.counts import CountsJson
from ferryman.http.queues import Depth
from ferryman.http.remote import reading
from ferryman.http.remote.absent import NoTransactions, NoTypes
from ferryman.http.remote.access import ApiKeys
from ferryman.http.remote.asking import Ask, Reply, only
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.controls import Controls
from ferryman.http.remote.error_groups import ErrorGroups
from ferryman.http.remote.following import Following, Hearing, Listened, Pulsing
from ferryman.http.remote.handing import Handing
from ferryman.http.remote.keys import Keys
from ferryman.http.remote.operations import Operations
from ferryman.http.remote.options import (
    CountsOptions,
    EventsOptions,
    LiveOptions,
    StatsOptions,
    counts_query_of,
    events_query_of,
    stats_query_of,
)
from ferryman.http.remote.paths import asked, of_job, path_of
from ferryman.http.remote.problems import error_of
from ferryman.http.remote.reports import Reports
from ferryman.http.remote.rules import Rules
from ferryman.http.remote.schedules import Schedules
from ferryman.http.remote.waiting import Waiting
from ferryman.http.stats import StatsJson
from ferryman.http.types import TypeJson
from ferryman.store.protocol import AuditFilter, Clock, Entry, NodeStatus
from ferryman.store.watching import Version

_COUNTERS: Final = MappingProxyType({"accept": "application/json"})


class RemoteClient(Handing):
    """What a person may say about jobs, said to a server. Every error is one of `ferryman.errors`.

    It lives on one event loop. Ids are minted here, so that what is said twice is done once.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        catalogue: Catalogue | None = None,
        clock: Clock | None = None,
        ids: IdMinter | None = None,
        max_body: int = MAX_BODY_DEFAULT,
    ) -> None:
        """Make a client; nothing is opened.

        Args:
            connection: the way to the server.
            catalogue: the types declared in this process; those that are not are judged by the server alone.
            clock: for the time in ids.
            ids: mints them.
            max_body: bytes that a request may have; the server's MAX_BODY.
        """
        self._clock = clock or SystemClock()
        super().__init__(connection, catalogue or NoTypes(), self._clock, ids or IdMinter(random.Random()), max_body)
        self._waiting = Waiting(connection)
        self.rules = Rules(connection)
        """What holds for all jobs of a queue or a type."""
        self.controls = Controls(connection, self._clock.now)
        """What those say who look after queues."""
        self.schedules = Schedules(connection)
        """What a person may say about schedules."""
        self.operations = Operations(connection)
        """Changes of every job that a filter means."""
        self.keys = Keys(connection)
        """The keys of jobs, and their gates."""
        self.access = ApiKeys(connection)
        """Who may use the HTTP API."""
        self.reports = Reports(connection)
        """What runs say of themselves."""
        self.errors = ErrorGroups(connection)
        """What attempts have failed of."""
        self.joining = NoTransactions()
        """Says that there are none."""

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._connection.base

    async def open(self) -> None:
        """Make ready; the server is first asked when there is something to say."""
        await self._connection.open()

    async def close(self) -> None:
        """Close the connections to the server; idempotent."""
        await self._connection.close()

    async def wake(self) -> None:
        """Do nothing: the server tells its nodes by itself."""

    # -- reading ---------------------------------------------------------------------------------

    async def get(self, id: str) -> Job:
        """One job. Raises JobNotFound, also where its retention has passed."""
        return reading.job(await self._get(of_job(id)))

    async def page(self, query: str) -> tuple[Sequence[Job], str | None]:
        """A page of jobs, and the query of the next one if there is one."""
        reply = await self._get(f"/jobs?{query}")
        return reading.jobs(reply), reading.next_page(reply)

    async def attempts(self, id: str) -> Sequence[Attempt]:
        """Every ended run of a job, oldest first. Raises JobNotFound."""
        return reading.attempts(await self._get(of_job(id, "attempts")))

    async def explain(self, id: str) -> Explanation:
        """Why a job has not started. Raises JobNotFound."""
        return reading.explanation(await self._get(of_job(id, "explain")))

    async def metrics(self) -> Mapping[str, int]:
        """The server's counters by name, such as jobs_pending and jobs_completed."""
        return reading.counters(await self._connection.say(Ask("GET", "/metrics", headers=_COUNTERS)))

    async def counts(self, **which: Unpack[CountsOptions]) -> CountsJson:
        """How many jobs there are by status.

        Args:
            which: `queue`, `type` (in which `*` is any text): a text, or several of which any may fit.
        """
        query = counts_query_of(**which)
        return reading.counts(await self._get(f"/counts?{query}" if query else "/counts"))

    async def queues(self) -> Sequence[Depth]:
        """How many jobs stand in each queue that holds any."""
        return reading.queues(await self._get("/queues"))

    async def queue(self, name: str) -> Depth:
        """How many jobs stand in a queue; any name of a queue is one. Raises BadOption."""
        return reading.queue(await self._get(path_of("queues", options.queue(name))))

    async def nodes(self) -> Sequence[NodeStatus]:
        """The nodes that have not ended, and those that ended within the last hour."""
        return reading.nodes(await self._get("/nodes"))

    async def node(self, id: str) -> NodeStatus:
        """One node. Raises NodeNotFound: it never was, or ended more than an hour ago."""
        return reading.node(await self._get(path_of("nodes", id)))

    async def node_jobs(self, id: str) -> Sequence[NodeJob]:
        """What a node runs, and what waits in its channel. Raises NodeNotFound."""
        return reading.node_jobs(await self._get(path_of("nodes", id, "jobs")))

    async def quiet_node(self, id: str) -> NodeStatus:
        """Have a node claim no more, from its next beat on. Raises NodeNotFound, NodeEnded."""
        return await self._command(id, NodeWish.QUIET)

    async def resume_node(self, id: str) -> NodeStatus:
        """Have a node claim again, from its next beat on. Raises NodeNotFound, NodeEnded."""
        return await self._command(id, NodeWish.RESUME)

    async def stop_node(self, id: str) -> NodeStatus:
        """Have a node stop in order, from its next beat on. Raises NodeNotFound, NodeEnded."""
        return await self._command(id, NodeWish.STOP)

    async def _command(self, id: str, wish: NodeWish) -> NodeStatus:
        return reading.node(await self._connection.say(Ask("POST", path_of("nodes", id, wish))))

    async def about(self) -> AboutJson:
        """Which process answers, on which store, and what is not as it should be."""
        return reading.about(await self._get("/about"))

    async def types(self) -> Sequence[TypeJson]:
        """Every type that a node has ever registered."""
        return reading.types(await self._get("/types"))

    async def audit(
        self, filter: AuditFilter | None = None, after: int | None = None, limit: int = 1000
    ) -> Sequence[Entry]:
        """What operators did, the newest first, from after the entry of a number on."""
        which = filter or AuditFilter()
        said = [("actor", which.actor), ("action", which.action), ("target", which.target)]
        return reading.audit(await self._get(asked("/audit", [*said, ("cursor", after), ("limit", limit)])))

    async def stats(self, **which: Unpack[StatsOptions]) -> StatsJson:
        """What happened lately, as points in time: the last hour by minute, unless told otherwise.

        Args:
            which: `queue` and `type`: of which jobs; `by`: what has a line of its own ("queue", "type" or "both");
                `start` and `end`: from when to when, as datetimes with a zone; `step`: seconds.

        Raises:
            BadOption: a time has no zone.
            BadParameter: nothing is kept of that period.
        """
        query = stats_query_of(**which)
        return reading.stats(await self._get(f"/stats?{query}" if query else "/stats"))

    async def wait(self, id: str, timeout: float | None = None) -> Job:  # noqa: ASYNC109 - it gives an error that says more
        """The job once it has ended; it may have been sent back by hand since.

        Args:
            id: the job's.
            timeout: seconds to wait; None is no bound.

        Raises:
            JobNotFound: there is no such job (any more).
            ResultTimeout: it had not ended in time.
        """
        return await self._waiting.ended(id, timeout)

    def follow(self, id: str) -> Following:
        """The job as it is, then each time that it is seen to have changed; the last time once it has ended.

        Not every change is seen: of several that come together only the last one. Raises JobNotFound.
        """
        return Following(self._connection, id)

    def events(self, **which: Unpack[EventsOptions]) -> Hearing:
        """What happens to jobs from now on: that they were stored, and each outcome; None where some are missing.

        Args:
            which: `queue`, `type` (in which `*` is any text), `status`: a text, or several of which any may fit.
        """
        return Hearing(self._connection, events_query_of(**which))

    def pulses(self, **which: Unpack[LiveOptions]) -> Pulsing:
        """How many jobs there are now, then each time that this has changed, at most four times a second.

        Args:
            which: `queue`: a text, or several of which any may fit.
        """
        return Pulsing(self._connection, counts_query_of(**which))

    async def leave(self, following: Listened) -> None:
        """Ask for no more of what `follow` or `events` gave, unless that was a client which is closed by now."""
        if following.connection is self._connection:
            await following.close()

    async def _get(self, path: str) -> Reply:
        return await self._connection.say(Ask("GET", path))

    # -- changing --------------------------------------------------------------------------------

    async def cancel(self, id: str, *, expected: Version | None = None) -> Job:
        """Cancel a job that waits; ask the handler of a running one to end. Gives the job as it then was.

        Raises:
            JobNotFound: there is no such job.
            PreconditionFailed: it has another version than `expected`.
            WrongState: it has ended already.
        """
        reply = await self._connection.tell(Ask("POST", of_job(id, "cancel"), headers=only(expected)))
        if reply.status in (200, 202):
            return reading.job(reply)
        error = error_of(reply)
        if reply.unsure and isinstance(error, WrongState | PreconditionFailed):
            job = await self.get(id)
            if job.status is Status.CANCELLED:  # by the try whose answer was lost
                return job
        raise error

    async def retry(self, id: str, *, expected: Version | None = None) -> Job:
        """Send a failed or cancelled job back to pending, with all its attempts. Gives the job as it then was.

        An answer that was lost is asked for again only where a version is expected: else the job may have failed once
        more by then, and would be sent back twice.

        Raises:
            JobNotFound: there is no such job.
            PreconditionFailed: it has another version than `expected`.
            WrongState: it is neither failed nor cancelled.
            UniqueKeyTaken: another live job has its unique key by now.
        """
        ask = Ask("POST", of_job(id, "retry"), headers=only(expected), repeatable=expected is not None)
        reply = await self._connection.tell(ask)
        if reply.status == 200:
            return reading.job(reply)
        error = error_of(reply)
        if reply.unsure and isinstance(error, PreconditionFailed) and expected and expected.status in RETRIABLE:
            return await self.get(id)  # such a job gets another version only as it is sent back
        raise error

    async def pause(self, queue: str) -> Rule:
        """Let no job of a queue start. Gives what holds for it now."""
        return await self.rules.pause(Scope.QUEUE, queue)

    async def resume(self, queue: str) -> Rule:
        """Let the jobs of a queue start again."""
        return await self.rules.resume(Scope.QUEUE, queue)


def client_of(url: str, *, api_key: str | None, catalogue: Catalogue, max_body: int) -> RemoteClient:
    """The client of an app whose jobs are behind a server. Raises BadSetting: the URL or the key cannot be used."""
    return RemoteClient(Connection(url, api_key=api_key), catalogue=catalogue, max_body=max_body)
