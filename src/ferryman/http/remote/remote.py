"""`Remote`: the server's verbs, for any thread (`get`) and any event loop (`aget`)."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar, Unpack, overload

import httpx2
import msgspec

from ferryman.client.chunks import achunks, chunks, tally
from ferryman.client.request import MAX_BODY_DEFAULT
from ferryman.domain import options
from ferryman.domain.job import Job
from ferryman.handle import Handle
from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.faces import Awaited, Blocking, Face
from ferryman.http.remote.following import Following
from ferryman.http.remote.groups import AccessVerbs, ControlVerbs, KeyVerbs, ReportVerbs, RuleVerbs, ScheduleVerbs
from ferryman.http.remote.options import CallLike, EnqueueOptions, ListOptions, query_of, request_of
from ferryman.http.remote.patience import Patience
from ferryman.http.remote.sending import LINES_MOST
from ferryman.http.remote.way import OwnLoop

R = TypeVar("R")

RETRIES_MOST: Final = 1000


class Remote(Face[RemoteClient]):
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
        self.keys: Final = KeyVerbs(self.way, lambda client: client.keys)
        self.access: Final = AccessVerbs(self.way, lambda client: client.access)
        self.reports: Final = ReportVerbs(self.way, lambda client: client.reports)

    # -- handing in ------------------------------------------------------------------------------

    @overload
    def enqueue(
        self, call: CallLike[R], /, *, wait: float | None = None, **given: Unpack[EnqueueOptions]
    ) -> Handle[R]: ...
    @overload
    def enqueue(
        self,
        type: str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        wait: float | None = None,
        **given: Unpack[EnqueueOptions],
    ) -> Handle[Any]: ...
    def enqueue(
        self,
        what: CallLike[Any] | str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        wait: float | None = None,
        **given: Unpack[EnqueueOptions],
    ) -> Handle[Any]:
        """Hand in a job, what `job.call(...)` gives or a type with a payload; it is durable when this returns.

        Args:
            what: the call, or the type's name.
            payload: for a type, the handler's keyword arguments.
            wait: seconds to wait for room where the queue is full; None is as long as the verb may take.
            given: options of the job; those of a call stay as they are where nothing is given.

        Raises:
            EnqueueError: it was refused; nothing was stored. QueueFull says when to come again.
            StoreError, ServerUnreachable, RemoteError: it may have been stored all the same; with the same `id` or
                `idempotency_key` it can be said again without doubling.
            SyncInsideLoop: an event loop runs here; await the twin.
        """
        request = request_of(what, payload, **given)
        accepted = self.way.call(lambda client: client.enqueue(request, wait), "aenqueue()")
        return _handle(accepted.id, self.way, what)

    @overload
    async def aenqueue(
        self, call: CallLike[R], /, *, wait: float | None = None, **given: Unpack[EnqueueOptions]
    ) -> Handle[R]: ...
    @overload
    async def aenqueue(
        self,
        type: str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        wait: float | None = None,
        **given: Unpack[EnqueueOptions],
    ) -> Handle[Any]: ...
    async def aenqueue(
        self,
        what: CallLike[Any] | str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        wait: float | None = None,
        **given: Unpack[EnqueueOptions],
    ) -> Handle[Any]:
        """As `enqueue`, without blocking."""
        request = request_of(what, payload, **given)
        accepted = await self.way.acall(lambda client: client.enqueue(request, wait))
        return _handle(accepted.id, self.way, what)

    def enqueue_many(self, calls: Iterable[CallLike[Any]]) -> int:
        """Hand in any number of calls, a thousand to a request, and never hold more; returns how many.

        The first refusal ends it; a note on the error says how many jobs were accepted before. Raises: as `enqueue`.
        """
        with tally() as found:
            for chunk in chunks(calls):
                found.accepted += self.way.call(_handing_in(chunk), "aenqueue_many()")
        return found.accepted

    async def aenqueue_many(self, calls: Iterable[CallLike[Any]] | AsyncIterable[CallLike[Any]]) -> int:
        """As `enqueue_many`, without blocking; takes asynchronous iterables too."""
        with tally() as found:
            async for chunk in achunks(calls):
                found.accepted += await self.way.acall(_handing_in(chunk))
        return found.accepted

    def import_many(self, calls: Iterable[CallLike[Any]]) -> int:
        """As `enqueue_many`, for millions: some thousand go to a request, one a line, and no more are held.

        The first refusal ends it: the jobs before it are stored, and maybe some behind it. Raises: as `enqueue`.
        """
        with tally() as found:
            for chunk in chunks(calls, LINES_MOST):
                found.accepted += self.way.call(_importing(chunk), "aimport_many()")
        return found.accepted

    async def aimport_many(self, calls: Iterable[CallLike[Any]] | AsyncIterable[CallLike[Any]]) -> int:
        """As `import_many`, without blocking; takes asynchronous iterables too."""
        with tally() as found:
            async for chunk in achunks(calls, LINES_MOST):
                found.accepted += await self.way.acall(_importing(chunk))
        return found.accepted

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

    def follow(self, id: str) -> Iterator[Job]:
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
            self.way.call(lambda _: following.close(), "afollow()")

    async def afollow(self, id: str) -> AsyncIterator[Job]:
        """As `follow`, without blocking."""
        following = await self.way.acall(_follow(id))
        try:
            while (job := await self.way.acall(lambda _: following.next())) is not None:
                yield job
        finally:
            await self.way.acall(lambda _: following.close())

    get, aget = Blocking(RemoteClient.get), Awaited(RemoteClient.get)
    attempts, aattempts = Blocking(RemoteClient.attempts), Awaited(RemoteClient.attempts)
    explain, aexplain = Blocking(RemoteClient.explain), Awaited(RemoteClient.explain)
    wait_for, await_for = Blocking(RemoteClient.wait), Awaited(RemoteClient.wait)
    metrics, ametrics = Blocking(RemoteClient.metrics), Awaited(RemoteClient.metrics)
    queues, aqueues = Blocking(RemoteClient.queues), Awaited(RemoteClient.queues)
    queue, aqueue = Blocking(RemoteClient.queue), Awaited(RemoteClient.queue)
    nodes, anodes = Blocking(RemoteClient.nodes), Awaited(RemoteClient.nodes)
    node, anode = Blocking(RemoteClient.node), Awaited(RemoteClient.node)
    types, atypes = Blocking(RemoteClient.types), Awaited(RemoteClient.types)
    audit, aaudit = Blocking(RemoteClient.audit), Awaited(RemoteClient.audit)
    _page, _apage = Blocking(RemoteClient.page), Awaited(RemoteClient.page)

    # -- changing --------------------------------------------------------------------------------

    cancel, acancel = Blocking(RemoteClient.cancel), Awaited(RemoteClient.cancel)
    retry, aretry = Blocking(RemoteClient.retry), Awaited(RemoteClient.retry)
    pause, apause = Blocking(RemoteClient.pause), Awaited(RemoteClient.pause)
    resume, aresume = Blocking(RemoteClient.resume), Awaited(RemoteClient.resume)

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


def _handle(id: str, way: OwnLoop[RemoteClient], what: CallLike[Any] | str) -> Handle[Any]:
    return Handle(id, way, msgspec.json.decode if isinstance(what, str) else what.decode)


def _handing_in(chunk: Sequence[CallLike[Any]]) -> Callable[[RemoteClient], Coroutine[Any, Any, int]]:
    requests = [call.request for call in chunk]
    return lambda client: client.enqueue_chunk(requests)


def _importing(chunk: Sequence[CallLike[Any]]) -> Callable[[RemoteClient], Coroutine[Any, Any, int]]:
    requests = [call.request for call in chunk]
    return lambda client: client.import_chunk(requests)


def _follow(id: str) -> Callable[[RemoteClient], Coroutine[Any, Any, Following]]:
    async def begin(client: RemoteClient) -> Following:
        return client.follow(id)

    return begin
