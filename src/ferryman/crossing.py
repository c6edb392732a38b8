"""Carries errands from any thread or event loop to the loop of a client, and the answers back.

    caller's thread or loop  -- errands -->  inbox  -- one wake-up for many -->  a task each on the client's loop
                             <-- answers --  outbox  <-- one wake-up for many --

Waking another loop costs a system call and a change of thread; sharing the wake-ups is what lets fifty
tasks enqueue through here at nearly the price of one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from ferryman.domain.errors import StoreClosed, SyncInsideLoop


class Opens(Protocol):
    """A client of any kind."""

    async def open(self) -> None:
        """Make ready."""
        ...

    async def close(self) -> None:
        """Answer what is under way, then let go of everything; idempotent."""
        ...


T = TypeVar("T")
C = TypeVar("C", bound=Opens)
Verb = Callable[[C], Coroutine[Any, Any, T]]
"""What to do with the client, such as `lambda client: client.get(id)`."""
AnyFuture = Future[Any] | asyncio.Future[Any]


class Errand:
    """One verb on its way to the client's loop; `answer` belongs to the caller's side."""

    __slots__ = ("answer", "dropped", "origin", "task", "verb")

    def __init__(self, verb: Verb[Any, Any], answer: AnyFuture, origin: asyncio.AbstractEventLoop | None) -> None:
        self.verb = verb
        self.answer = answer
        self.origin = origin
        """The loop on which the answer is awaited; None is a blocked thread."""
        self.task: asyncio.Task[Any] | None = None
        self.dropped = False


class Crossing(Generic[C]):
    """The way to one event loop and to the client on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connect: Callable[[], C], client: C | None = None) -> None:
        """`connect` builds the client, on the loop, when the first errand arrives; again if that failed.

        A `client` that is given is open already, and `connect` is not called.
        """
        self.loop: Final = loop
        self._connect = connect
        self._client = client
        self._connecting = asyncio.Lock()
        self._inbox: deque[Errand] = deque()
        self._woken = False
        self._ended = False
        self._under_way: set[Errand] = set()
        self._outbox: dict[asyncio.AbstractEventLoop, list[Errand]] = {}

    @classmethod
    def here(cls, connect: Callable[[], C], client: C) -> Self:
        """The way to the running loop and to a client on it that is open."""
        return cls(asyncio.get_running_loop(), connect, client)

    @property
    def client(self) -> C | None:
        """The client, once it is open."""
        return self._client

    # -- on the caller's side --------------------------------------------------------------------

    def call(self, verb: Verb[C, T]) -> T:
        """Do an errand, and block this thread until it is done."""
        answer: Future[T] = Future()
        errand = Errand(verb, answer, None)
        self._send(errand)
        # always, since Ctrl-C may fall between the flag and the call that a flag stands for
        self._wake()
        try:
            return answer.result()
        finally:
            if not answer.done():
                self._drop(errand)

    def tell(self, verb: Verb[C, Any]) -> None:
        """Do an errand whose end nobody waits for."""
        self._send(Errand(verb, Future(), None))
        self._wake()

    async def acall(self, verb: Verb[C, T]) -> T:
        """Do an errand and await its answer on whatever loop this is."""
        origin = asyncio.get_running_loop()
        if origin is self.loop and self._client is not None:
            return await verb(self._client)
        answer: asyncio.Future[T] = origin.create_future()
        errand = Errand(verb, answer, origin)
        self._send(errand)
        if not self._woken:
            self._woken = True
            self._wake()
        try:
            return await answer
        except asyncio.CancelledError:
            self._drop(errand)
            raise

    def _send(self, errand: Errand) -> None:
        self._inbox.append(errand)
        if self._ended:  # asked after the append, so that `end` has seen the errand or we see the end
            raise _closed()

    def _wake(self) -> None:
        try:
            self.loop.call_soon_threadsafe(self._take)
        except RuntimeError:
            raise _closed() from None

    def _drop(self, errand: Errand) -> None:
        """The caller does not wait any more."""
        with suppress(RuntimeError):  # the loop is closed, and the errand with it
            self.loop.call_soon_threadsafe(_cancel, errand)

    def close(self, within: float) -> None:
        """Close the client, then stop the loop, in at most so many seconds."""
        closing = asyncio.run_coroutine_threadsafe(self._close(), self.loop)
        with suppress(TimeoutError):
            closing.result(within)
        self.loop.call_soon_threadsafe(self.loop.stop)

    # -- on the client's loop --------------------------------------------------------------------

    def _take(self) -> None:
        """Start a task for every errand that has arrived."""
        self._woken = False
        while self._inbox:
            errand = self._inbox.popleft()
            if not errand.dropped:
                client = self._client
                work = self._connect_first(errand.verb) if client is None else errand.verb(client)
                errand.task = self.loop.create_task(work)
                self._under_way.add(errand)
                errand.task.add_done_callback(partial(self._done, errand))

    async def _connect_first(self, verb: Verb[C, T]) -> T:
        async with self._connecting:
            if self._client is None:
                client = self._connect()
                try:
                    await client.open()
                except BaseException:
                    await client.close()
                    raise
                self._client = client
        return await verb(self._client)

    def _done(self, errand: Errand, _task: asyncio.Task[Any] | None = None) -> None:
        """Answer a blocked thread at once, a loop together with all else that ends in this turn."""
        self._under_way.discard(errand)
        if errand.origin is None:
            _settle(errand)
            return
        answers = self._outbox.setdefault(errand.origin, [])
        answers.append(errand)
        if len(answers) == 1:
            self.loop.call_soon(self._deliver, errand.origin)

    def _deliver(self, origin: asyncio.AbstractEventLoop) -> None:
        errands = self._outbox.pop(origin, [])
        with suppress(RuntimeError):  # that loop is closed: nobody waits
            origin.call_soon_threadsafe(_settle_all, errands)

    async def _close(self) -> None:
        """Answer what is under way, close the client, cut off who still waits."""
        if self._client is not None:
            await self._client.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def end(self) -> None:
        """The loop has stopped: answer whatever it has not answered."""
        self._ended = True
        for errand in [*self._inbox, *self._under_way]:
            self._done(errand)
        for origin in list(self._outbox):
            self._deliver(origin)


def refuse_inside_loop(instead: str) -> None:
    """Raise SyncInsideLoop where blocking would stop an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SyncInsideLoop(
        "This call blocks, and an event loop runs in this thread.",
        why="The loop, and every task on it, would stand still meanwhile.",
        hint=f"Write `await` and {instead} instead.",
    )


def _settle_all(errands: list[Errand]) -> None:
    for errand in errands:
        _settle(errand)


def _settle(errand: Errand) -> None:
    """Hand a task's end to whoever waits; one that has none was cut off when the app was closed."""
    task, answer = errand.task, errand.answer
    if task is None or not task.done() or task.cancelled():
        error: BaseException | None = _closed()
    else:
        error = task.exception()
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    elif task is not None:
        answer.set_result(task.result())


def _cancel(errand: Errand) -> None:
    errand.dropped = True
    if errand.task is not None:
        errand.task.cancel()


def _closed() -> StoreClosed:
    return StoreClosed("The app was closed before this was done.", hint="Enqueue again; the app opens anew.")
