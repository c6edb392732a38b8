"""A run under way, and the ladder by which a handler is made to end.

    asked to end (timeout, cancel, stop, node lost)
      coroutine: cancelled -> cancelled again after a grace -> given up: its worker is replaced
      thread:    raised in -------------------------------> given up: its thread is replaced
      process:   SIGTERM to its group --------------------> given up: SIGKILL to its group

A run that is given up is written as ended for the reason that it was asked to end; what its handler
does later counts for nothing. Middleware is a coroutine; around a handler in a thread the run changes
to the lower ladder when the thread begins, and back to the upper one when it has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context as Variables
from enum import Enum
from functools import partial
from typing import Protocol

import msgspec

from ferryman.domain.job import ClaimedJob, NewJob
from ferryman.domain.outcome import Outcome, Run
from ferryman.engine.deadlines import Deadline, Deadlines
from ferryman.engine.threads import Answer, HandlerThread
from ferryman.engine.work import Work


class Reason(Enum):
    """Why a run was made to end before its handler had."""

    TIMEOUT = "its timeout passed"
    CANCEL = "somebody cancelled the job"
    INTERRUPT = "the node stops"
    LOST = "the node lost its claims"


class HandlerCall(Protocol):
    """A handler's call outside the event loop: in a thread, or in a worker process."""

    answer: asyncio.Future[Answer]

    def stop(self) -> bool:
        """Ask the handler to end. False: it has ended already, its answer is on its way."""
        ...

    def give_up(self) -> None:
        """Wait no longer: answer as if the handler had stopped."""


class Slot(Protocol):
    """What a run needs of the worker that runs it."""

    id: str
    number: int

    @property
    def task(self) -> asyncio.Task[None]:
        """The worker's task, in which a coroutine handler runs."""
        ...

    def thread(self) -> HandlerThread:
        """The worker's thread, for a handler that is no coroutine."""
        ...

    def in_process(self, work: Work, /) -> HandlerCall:
        """Run a handler that was declared so in the worker's process. Raises ProcessNotStarted."""
        ...

    def give_up(self, running: Running, /) -> None:
        """The handler will not end: write the run as ended and go on without it."""


class Listener(Protocol):
    """Whom a handler tells how far its run is."""

    def progress(self, running: Running, done: float, total: float | None, message: str) -> None:
        """Hear it, in any thread. Never waits, and never raises because the run is not heard any more."""


class Committed(msgspec.Struct, frozen=True):
    """How a run ended whose handler has committed its completion itself, and under which token that was written."""

    outcome: Outcome
    run: Run


class Running(msgspec.Struct, eq=False):
    """One run, from the moment its worker has the job until its outcome is handed over."""

    job: ClaimedJob
    run: Run
    slot: Slot
    began: float
    """In seconds of the monotonic clock."""
    reason: Reason | None = None
    call: HandlerCall | None = None
    """The handler's call, where it runs in a thread or in a process."""
    variables: Variables | None = None
    """The context variables that the handler has; None before it starts."""
    cancelled: bool = False
    """Whether the worker's task was cancelled to end the run; what returns after that has swallowed it."""
    timer: Deadline | None = None
    ended: bool = False
    """Whether the handler has ended; nothing can be asked of it any more."""
    follow_ups: list[NewJob] | None = None
    """What the handler enqueued with its completion; its Context makes the list."""
    listener: Listener | None = None
    """Whom the handler tells how far the run is."""
    unheard: bool = False
    """Whether nobody listens to what the handler says any more: the run has ended, or has lost its claim."""
    in_transaction: bool = False
    completing: int = 0
    """The token under which a transaction of the handler's own writes how the run ended: there before it is written."""
    committed: Committed | None = None
    """Set by the thread that commits a transaction of the handler's own, once and for all."""

    def end(self) -> None:
        """The handler has ended."""
        self.ended = True
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Ladder:
    """Makes handlers end. Everything here runs on the event loop."""

    def __init__(self, deadlines: Deadlines, grace: float) -> None:
        """`grace` is how many seconds a handler has on each rung."""
        self._deadlines = deadlines
        self._grace = grace

    def expect(self, running: Running, timeout: float) -> None:
        """Stop a run once it has lasted `timeout` seconds."""
        running.timer = self._deadlines.at(running.began + timeout, partial(self.stop, running, Reason.TIMEOUT))

    def stop(self, running: Running, reason: Reason) -> None:
        """Ask a run to end. Only the first reason counts, and none after the handler has ended."""
        if running.ended or running.reason is not None:
            return
        if running.call is None:
            running.reason = reason
            self._cancel(running)
            self._next(running, self._again)
        elif running.call.stop():
            running.reason = reason
            self._next(running, self._give_up)
        else:  # its answer is on its way, and there may be middleware that goes on with it
            self._next(running, partial(self.stop, reason=reason), 0.0)

    def thread_ended(self, running: Running) -> None:
        """The handler's thread has ended, the middleware around it has not: from here on it is a coroutine."""
        running.call = None
        if running.reason is not None:
            self._next(running, self._again)

    def _again(self, running: Running) -> None:
        """It swallowed its cancellation, or is slow to clean up."""
        if running.ended:
            return
        self._cancel(running)
        self._next(running, self._give_up)

    def _cancel(self, running: Running) -> None:
        running.cancelled = True
        running.slot.task.cancel(running.reason and running.reason.value)

    def _give_up(self, running: Running) -> None:
        if not running.ended:
            running.slot.give_up(running)

    def _next(self, running: Running, rung: Callable[[Running], None], after: float | None = None) -> None:
        if running.timer is not None:
            running.timer.cancel()
        running.timer = self._deadlines.after(self._grace if after is None else after, partial(rung, running))
