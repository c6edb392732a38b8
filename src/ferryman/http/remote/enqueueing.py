"""The verbs of a `Remote` that hand jobs in, with the types of what their handlers return."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar, Unpack, overload

import msgspec

from ferryman.client.chunks import achunks, chunks, tally
from ferryman.client.many import MOST
from ferryman.handle import Handle
from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.faces import Face
from ferryman.http.remote.options import CallLike, EnqueueOptions, request_of
from ferryman.http.remote.sending import LINES_MOST
from ferryman.http.remote.way import OwnLoop

R = TypeVar("R")


class EnqueueVerbs(Face[RemoteClient]):
    """One, many, all or none, or any number."""

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

    def enqueue_all(self, calls: Iterable[CallLike[Any]]) -> Sequence[Handle[Any]]:
        """Hand in up to a thousand calls in one commit, all or none.

        Raises:
            WrongContent: one of them is refused, or may be for a key; its `errors` point at all that are.
            BadOption: they are none or too many, or one has an idempotency key.
            PayloadTooLarge: they do not fit into one request.
            QueueFull: one of the queues has no room for its part.
        """
        together = list(islice(calls, MOST + 1))
        return self._handles(self.way.call(_all(together), "aenqueue_all()"), together)

    async def aenqueue_all(self, calls: Iterable[CallLike[Any]]) -> Sequence[Handle[Any]]:
        """As `enqueue_all`, without blocking."""
        together = list(islice(calls, MOST + 1))
        return self._handles(await self.way.acall(_all(together)), together)

    def _handles(self, ids: Sequence[str], calls: Sequence[CallLike[Any]]) -> Sequence[Handle[Any]]:
        return tuple(_handle(id, self.way, call) for id, call in zip(ids, calls, strict=True))

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


def _handle(id: str, way: OwnLoop[RemoteClient], what: CallLike[Any] | str) -> Handle[Any]:
    return Handle(id, way, msgspec.json.decode if isinstance(what, str) else what.decode)


def _handing_in(chunk: Sequence[CallLike[Any]]) -> Callable[[RemoteClient], Coroutine[Any, Any, int]]:
    requests = [call.request for call in chunk]
    return lambda client: client.enqueue_chunk(requests)


def _importing(chunk: Sequence[CallLike[Any]]) -> Callable[[RemoteClient], Coroutine[Any, Any, int]]:
    requests = [call.request for call in chunk]
    return lambda client: client.import_chunk(requests)


def _all(calls: Sequence[CallLike[Any]]) -> Callable[[RemoteClient], Coroutine[Any, Any, Sequence[str]]]:
    requests = [call.request for call in calls]
    return lambda client: client.enqueue_all(requests)
