"""`Remote`: the server's verbs, for any thread (`get`) and any event loop (`aget`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Final, Self, TypeVar, Unpack

import httpx2
import msgspec

from ferryman.client.request import MAX_BODY_DEFAULT
from ferryman.domain import options
from ferryman.domain.job import Job
from ferryman.handle import Handle
from ferryman.http.journal import ChangeJson
from ferryman.http.live import PulseJson
from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.enqueueing import EnqueueVerbs
from ferryman.http.remote.faces import both
from ferryman.http.remote.following import Endless, Following
from ferryman.http.remote.groups import (
    AccessVerbs,
    ControlVerbs,
    ErrorVerbs,
    KeyVerbs,
    OperationVerbs,
    ReportVerbs,
    RuleVerbs,
    ScheduleVerbs,
)
from ferryman.http.remote.options import EventsOptions, ListOptions, LiveOptions, query_of
from ferryman.http.remote.patience import Patience
from ferryman.http.remote.way import OwnLoop

R = TypeVar("R")
S = TypeVar("S")
Begin = Callable[[RemoteClient], Coroutine[Any, Any, Endless[S]]]

RETRIES_MOST: Final = 1000


class Remote(EnqueueVerbs):
    """A server of Ferryman's, by its URL. Nothing is sent before the first verb.

    Each verb blocks, and has a twin that is awaited, whose name begins with `a`. One Remote is for all threads and
    loops of a process, and keeps its connections open until `close`.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        retries: int = 8,
        max_body: int = MAX_BODY_DEFAULT,
        transport: httpx2.AsyncBaseTransport | None = None,
        trust_env: bool = False,
    ) -> None:
        """Make one.

        Args:
            url: where the API is, such as "http://queue.internal:8080" or "https://example.org/queue".
            api_key: sent as `Authorization: Bearer`.
            timeout: seconds that one verb may take, with everything that is said again.
            retries: how often a request is said again at most.
            max_body: bytes that a request may have: the server's MAX_BODY.
            transport: what carries requests instead of the network.
            trust_env: whether to use the proxies that the environment names.

        Raises:
            BadSetting: the URL or the key cannot be used.
            BadOption: the timeout or the number of retries is none.
        """
        patience = Patience(options.whole("retries", retries, most=RETRIES_MOST), options.timeout(timeout))

        def make() -> RemoteClient:
            way = Connection(url, api_key=api_key, patience=patience, transport=transport, trust_env=trust_env)
            return RemoteClient(way, max_body=max_body)

        self.url: Final = make().url
        """Where the API is."""
        super().__init__(OwnLoop(make), lambda client: client)
        self.rules: Final = RuleVerbs(self.way, lambda client: client.rules)
        self.controls: Final = ControlVerbs(self.way, lambda client: client.controls)
        self.schedules: Final = ScheduleVerbs(self.way, lambda client: client.schedules)
        self.operations: Final = OperationVerbs(self.way, lambda client: client.operations)
        """Changes of every job that a filter means."""
        self.keys: Final = KeyVerbs(self.way, lambda client: client.keys)
        self.access: Final = AccessVerbs(self.way, lambda client: client.access)
        self.reports: Final = ReportVerbs(self.way, lambda client: client.reports)
        self.errors: Final = ErrorVerbs(self.way, lambda client: client.errors)

    # -- reading ---------------------------------------------------------------------------------

    def handle(self, id: str) -> Handle[Any]:
        """The handle of a job that was enqueued before. Raises BadOption if that can be no id."""
        return Handle(options.job_id(id), self.way, msgspec.json.decode)

    def list(self, **which: Unpack[ListOptions]) -> Iterator[Job]:
        """Every job that fits, the oldest first unless asked otherwise; a page is asked for when it is needed.

        Raises:
            BadParameter: a filter is not allowed.
        """
        query: str | None = query_of(**which)
        while query is not None:
            jobs, query = self._page(query)
            yield from jobs

    async def alist(self, **which: Unpack[ListOptions]) -> AsyncIterator[Job]:
        """As `list`, without blocking."""
        query: str | None = query_of(**which)
        while query is not None:
            jobs, query = await self._apage(query)
            for job in jobs:
                yield job

    def follow(self, id: str) -> Generator[Job]:
        """The job as it is, then each time that it is seen to have changed; the last time once it has ended.

        Not every change is seen: of several that come together only the last one. A stream that breaks off is begun
        anew where it was.

        Raises:
            JobNotFound: there is no such job (any more).
            ServerUnreachable: the stream broke off, and no other one could be had in time.
        """
        following = self.way.call(_follow(id), "afollow()")
        try:
            while (job := self.way.call(lambda _: following.next(), "afollow()")) is not None:
                yield job
        finally:
            self.way.tell(lambda client: client.leave(following))

    async def afollow(self, id: str) -> AsyncGenerator[Job]:
        """As `follow`, without blocking."""
        following = await self.way.acall(_follow(id))
        try:
            while (job := await self.way.acall(lambda _: following.next())) is not None:
                yield job
        finally:
            self.way.tell(lambda client: client.leave(following))

    def events(self, **which: Unpack[EventsOptions]) -> Generator[ChangeJson | None]:
        """What happens to jobs from now on: that they were stored, and each outcome; see GET /events.

        A stream that breaks off is begun anew where it was, and nothing is missed by that. Where this took more than
        ten minutes some changes may be missing: then None is given, and it goes on from now.

        Args:
            which: `queue`, `type` (in which `*` is any text), `status`: a text, or several of which any may fit.

        Raises:
            ServerUnreachable: the stream broke off, and no other one could be had in time.
        """
        return self._endless(_hear(which), "aevents()")

    async def aevents(self, **which: Unpack[EventsOptions]) -> AsyncGenerator[ChangeJson | None]:
        """As `events`, without blocking."""
        async with aclosing(self._aendless(_hear(which))) as changes:
            async for each in changes:
                yield each

    def pulses(self, **which: Unpack[LiveOptions]) -> Generator[PulseJson]:
        """How many jobs there are now, then each time that this has changed, at most four times a second.

        See GET /live. A stream that breaks off is begun anew.

        Args:
            which: `queue`: a text, or several of which any may fit.

        Raises:
            ServerUnreachable: the stream broke off, and no other one could be had in time.
        """
        return self._endless(_look(which), "apulses()")

    async def apulses(self, **which: Unpack[LiveOptions]) -> AsyncGenerator[PulseJson]:
        """As `pulses`, without blocking."""
        async with aclosing(self._aendless(_look(which))) as pulses:
            async for each in pulses:
                yield each

    def _endless(self, begin: Begin[S], twin: str) -> Generator[S]:
        stream = self.way.call(begin, twin)
        try:
            while True:
                yield self.way.call(lambda _: stream.next(), twin)
        finally:
            self.way.tell(lambda client: client.leave(stream))

    async def _aendless(self, begin: Begin[S]) -> AsyncGenerator[S]:
        stream = await self.way.acall(begin)
        try:
            while True:
                yield await self.way.acall(lambda _: stream.next())
        finally:
            self.way.tell(lambda client: client.leave(stream))

    get, aget = both(RemoteClient.get)
    attempts, aattempts = both(RemoteClient.attempts)
    explain, aexplain = both(RemoteClient.explain)
    wait_for, await_for = both(RemoteClient.wait)
    metrics, ametrics = both(RemoteClient.metrics)
    counts, acounts = both(RemoteClient.counts)
    queues, aqueues = both(RemoteClient.queues)
    queue, aqueue = both(RemoteClient.queue)
    nodes, anodes = both(RemoteClient.nodes)
    node, anode = both(RemoteClient.node)
    node_jobs, anode_jobs = both(RemoteClient.node_jobs)
    quiet_node, aquiet_node = both(RemoteClient.quiet_node)
    resume_node, aresume_node = both(RemoteClient.resume_node)
    stop_node, astop_node = both(RemoteClient.stop_node)
    about, aabout = both(RemoteClient.about)
    types, atypes = both(RemoteClient.types)
    audit, aaudit = both(RemoteClient.audit)
    stats, astats = both(RemoteClient.stats)
    _page, _apage = both(RemoteClient.page)

    # -- changing --------------------------------------------------------------------------------

    cancel, acancel = both(RemoteClient.cancel)
    retry, aretry = both(RemoteClient.retry)
    pause, apause = both(RemoteClient.pause)
    resume, aresume = both(RemoteClient.resume)

    # -- life ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections and end the thread that the first verb started; a later verb starts anew."""
        self.way.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Remote({self.url!r})"


def _hear(which: EventsOptions) -> Begin[ChangeJson | None]:
    async def begin(client: RemoteClient) -> Endless[ChangeJson | None]:
        return client.events(**which)

    return begin


def _look(which: LiveOptions) -> Begin[PulseJson]:
    async def begin(client: RemoteClient) -> Endless[PulseJson]:
        return client.pulses(**which)

    return begin


def _follow(id: str) -> Callable[[RemoteClient], Coroutine[Any, Any, Following]]:
    async def begin(client: RemoteClient) -> Following:
        return client.follow(id)

    return begin
