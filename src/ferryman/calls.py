"""A declared job, and a call of it that is not yet enqueued."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, ParamSpec, TypeVar

import msgspec

from ferryman.bridge import Bridge
from ferryman.client import JobRequest
from ferryman.domain.options import job_id, moment_of, seconds_of
from ferryman.engine.registry import Handler, Registry
from ferryman.enqueueing import Enqueueing
from ferryman.handle import Handle

P = ParamSpec("P")
"""The handler's parameters, without its Context."""
R = TypeVar("R")
"""What the handler's result is."""
Q = ParamSpec("Q")
"""The parameters of the function itself."""
T = TypeVar("T")
"""What the function itself returns: of an `async def`, an awaitable of R."""


class Call(Generic[R]):
    """Arguments bound to a job, and how to enqueue it. Every method gives a new call; none changes this one."""

    __slots__ = ("_bridge", "_decode", "request")

    def __init__(self, request: JobRequest, bridge: Bridge, decode: Callable[[str], Any]) -> None:
        self.request = request
        """What will be asked of the client."""
        self._bridge = bridge
        self._decode = decode

    def later(self, delay: float | timedelta) -> Call[R]:
        """Not before so many seconds from the enqueue. Raises BadOption."""
        return self._with(delay=seconds_of("delay", delay), run_at=None)

    def at(self, moment: datetime) -> Call[R]:
        """Not before a time, given with its time zone; one that is past means at once. Raises BadOption."""
        return self._with(run_at=moment_of("run_at", moment), delay=None)

    def options(
        self,
        *,
        queue: str | None = None,
        priority: int | None = None,
        max_attempts: int | None = None,
        timeout: float | None = None,
        unique_key: str | None = None,
        on_conflict: Literal["error", "return"] | None = None,
        tags: Sequence[str] | None = None,
        expires_at: datetime | None = None,
        idempotency_key: str | None = None,
        key: str | None = None,
    ) -> Call[R]:
        """Other options than the job declares; None leaves one as it is. They are checked at the enqueue.

        Args:
            queue: 1 to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`.
            priority: 0 (runs first) to 9.
            max_attempts: 1 to 1000.
            timeout: seconds that a run may take.
            unique_key: no two jobs of a type that have not ended share one; 1 to 256 characters.
            on_conflict: what a taken unique key gives: "error" (UniqueKeyTaken) or "return" (a handle of its holder).
            tags: words to find the job by; at most 20 of at most 64 characters.
            expires_at: the job is cancelled unless it was started before this time.
            key: whose gate lets the job in, instead of what the job declares; 1 to 200 characters.
            idempotency_key: two enqueues with one key within 24 hours are one; 1 to 255 visible ASCII characters.
        """
        given: dict[str, Any] = {
            "queue": queue,
            "priority": priority,
            "max_attempts": max_attempts,
            "timeout": timeout,
            "unique_key": unique_key,
            "on_conflict": on_conflict,
            "tags": tuple(tags) if isinstance(tags, list) else tags,
            "expires_at": None if expires_at is None else moment_of("expires_at", expires_at),
            "idempotency_key": idempotency_key,
            "key": key,
        }
        return self._with(**{name: value for name, value in given.items() if value is not None})

    def enqueue(self, *, tx: Any = None, wait: float | timedelta = 0) -> Handle[R]:
        """Hand the job in, and block until it is durable.

        Args:
            wait: so many seconds to wait for room where the queue is full; in a transaction nobody waits.
            tx: a transaction of your own in the store's database, of which the job becomes a part: it exists iff you
                commit. A connection of sqlite3's or psycopg's, a SQLAlchemy Session or Connection, Django's
                connection, or what `ctx.transaction()` gives. Those that are awaited are for `aenqueue`.

        Raises:
            TransactionImpossible: `tx` is not on the store's database, not safe enough, or has no transaction open.
            EnqueueError: it was refused; nothing was stored. QueueFull says when to come again.
            SyncInsideLoop: an event loop runs here; await `aenqueue`.
            StoreError: the store failed.
        """
        if tx is not None:
            return self._enqueue_in(tx)
        seconds = seconds_of("wait", wait)
        accepted = self._bridge.call(lambda client: client.enqueue(self.request, seconds), "aenqueue()")
        return Handle(accepted.id, self._bridge, self._decode)

    def aenqueue(self, *, tx: Any = None, wait: float | timedelta = 0) -> Coroutine[Any, Any, Handle[R]]:
        """As `enqueue`, without blocking; enqueues that are awaited together share a commit.

        With `tx` the statements run on this loop, as your own on that connection do: it may be a connection of
        asyncpg's or an AsyncConnection of psycopg's, or an AsyncSession or AsyncConnection of SQLAlchemy's. One of
        those that `enqueue` takes blocks the loop meanwhile.
        """
        return Enqueueing(self.request.type, self._aenqueue(tx, seconds_of("wait", wait)))

    async def _aenqueue(self, tx: Any, wait: float) -> Handle[R]:
        if tx is not None:
            (id,) = await self._bridge.aenqueue_in(tx, [self.request])
            return Handle(id, self._bridge, self._decode)
        accepted = await self._bridge.acall(lambda client: client.enqueue(self.request, wait))
        return Handle(accepted.id, self._bridge, self._decode)

    def decode(self, result: str) -> R:
        """What the handler returned, of its JSON text, as its return annotation says."""
        found: R = self._decode(result)
        return found

    def _enqueue_in(self, tx: Any) -> Handle[R]:
        (id,) = self._bridge.enqueue_in(tx, [self.request])
        return Handle(id, self._bridge, self._decode)

    def _with(self, **changes: Any) -> Call[R]:
        return Call(msgspec.structs.replace(self.request, **changes), self._bridge, self._decode)

    def __repr__(self) -> str:
        return f"<call of {self.request.type}>"


class JobFunction(Generic[P, R]):
    """A declared job: what can be enqueued with the parameters P and gives an R."""

    def __init__(self, handler: Handler, bridge: Bridge, decode: Callable[[str], Any], registry: Registry) -> None:
        self.registry = registry
        """Of the app that declared the job: a worker process, which only finds the function, has it from here."""
        self._handler = handler
        self._bridge = bridge
        self._decode = decode
        self.__name__ = handler.function.__name__
        self.__doc__ = handler.function.__doc__
        self.__module__ = handler.function.__module__
        self.__wrapped__ = handler.function

    @property
    def type(self) -> str:
        """The job's type, by which its handler is found."""
        return self._handler.type

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """Bind arguments without enqueueing yet.

        Raises:
            MissingArgument, UnknownArgument, WrongArgumentType, NotSerialisable, BadNumber, BadText, TooDeep:
                the arguments do not fit; the error names the argument.
        """
        payload = self._handler.signature.bind(args, kwargs)
        return Call(JobRequest(self._handler.type, payload, checked=True), self._bridge, self._decode)

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Handle[R]:
        """Hand a job in with these arguments, and block until it is durable. Raises: as `call` and `Call.enqueue`."""
        return self.call(*args, **kwargs).enqueue()

    def aenqueue(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, Handle[R]]:
        """As `enqueue`, without blocking; enqueues that are awaited together share a commit."""
        return self.call(*args, **kwargs).aenqueue()

    def handle(self, id: str) -> Handle[R]:
        """The handle of a job of this type that was enqueued before. Raises BadOption if that can be no id."""
        return Handle(job_id(id), self._bridge, self._decode)

    def __repr__(self) -> str:
        return f"<job {self._handler.type}>"


class Declared(JobFunction[P, R], Generic[P, R, Q, T]):
    """A declared job that is still the function it was: calling it runs it here and now."""

    def __call__(self, *args: Q.args, **kwargs: Q.kwargs) -> T:
        """Call the function, as if it were no job."""
        result: T = self._handler.function(*args, **kwargs)
        return result
