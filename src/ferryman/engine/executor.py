"""Runs one job and says how that ended; another part writes it.

The way of a job that never waits is the hot path: no task, no timer, no log line.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable, Collection, Coroutine
from contextvars import copy_context
from functools import partial
from typing import Any, Final

import msgspec

from ferryman.domain.errors import (
    AlreadyCommitted,
    CancellationSwallowed,
    HandlerError,
    PayloadMismatch,
    ProcessNotStarted,
)
from ferryman.domain.events import Events, StaleStart
from ferryman.domain.job import ClaimedJob, NewJob
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.state import Status
from ferryman.engine import endings
from ferryman.engine.capture import RUN
from ferryman.engine.context import Context
from ferryman.engine.failing import FailureHooks, cause
from ferryman.engine.heartbeat import Lease
from ferryman.engine.middleware import wrap
from ferryman.engine.origin import Origin
from ferryman.engine.registry import Handler, Registry
from ferryman.engine.running import Committed, Ladder, Listener, Running
from ferryman.engine.telling import tell
from ferryman.engine.trampoline import drive
from ferryman.engine.transaction import AnyDesk, Transaction
from ferryman.engine.work import Work
from ferryman.store.protocol import Clock

log: Final = logging.getLogger("ferryman.engine")


class Executor:
    """Runs jobs for all workers of a node."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        ladder: Ladder,
        lease: Lease,
        events: Events,
        *,
        encode: Callable[[Any], str],
        share: Callable[[], float],
        default_timeout: float,
        max_result: int,
        admit: Callable[[Any], NewJob],
        desk: AnyDesk | None,
        listener: Listener | None = None,
    ) -> None:
        """Make an executor.

        Args:
            encode: a result as JSON text; raises what says why there is none.
            share: random in [0, 1), for the backoff.
            default_timeout: seconds, for handlers that declare none.
            max_result: bytes of a result's JSON.
            admit: the job for a request that a handler makes.
            desk: where handlers get their transactions, if the store has any.
            listener: whom they tell how far they are.
        """
        self.asked: Collection[tuple[str, int]] = frozenset()
        """The runs whose cancel is known; they do not start."""
        self._registry = registry
        self._clock = clock
        self._ladder = ladder
        self._lease = lease
        self._events = events
        self._encode = encode
        self._share = share
        self._default_timeout = default_timeout
        self._max_result = max_result
        self._middleware = registry.hooks.middleware
        self._failures = FailureHooks(registry.hooks.failure)
        self._admit = admit
        self._desk = desk
        self._listener = listener

    async def run(self, running: Running) -> Outcome:
        """Run a job in the task that awaits this. Whatever the handler does, there is an outcome."""
        job = running.job
        handler = self._registry.get(job.lane.type)
        if handler is None:
            return self._not_started(running, endings.RELEASED)  # never failed: another node may know the type
        if (refused := self._refuse(running)) is not None:
            return self._not_started(running, refused)
        running.listener = self._listener
        RUN.set(running)
        if handler.origin is not None:
            outcome = await self._in_process(running, handler, handler.origin)
            return await self._failed(running, handler, outcome, None)
        try:
            arguments = handler.signature.decode(job.payload)
        except PayloadMismatch as error:
            running.end()
            return await self._failed(running, handler, endings.mismatched(error), error)
        try:
            if handler.is_async or self._middleware:
                value = await self._on_loop(running, handler, arguments)
            else:
                value = await self._in_thread(running, handler, arguments)
        except BaseException as error:
            running.end()
            return await self._failed(running, handler, self._raised(running, handler, error), error)
        running.end()
        if running.committed is not None:
            return _committed(running, running.committed)
        if running.reason is not None:
            return await self._failed(running, handler, self._swallowed(running, handler), None)
        outcome = self._completed(running, handler, value)
        return outcome if outcome.error is None else await self._failed(running, handler, outcome, None)

    def cut_off(self, running: Running, error: BaseException | None = None) -> Outcome:
        """The outcome of a run that was made to end; `error` is what its handler raised on its way out."""
        if running.committed is not None:
            return _committed(running, running.committed)
        assert running.reason is not None
        handler = self._registry.get(running.job.lane.type)
        assert handler is not None
        timeout = self._timeout(running.job, handler)
        hide = handler.hiding(running.job.payload)
        return endings.cut_off(running.reason, error, timeout, running.job, handler.retry, self._share(), hide)

    def given_up(self, running: Running) -> Outcome:
        """The outcome of a run whose handler will not end; failure hooks are called, but not waited for."""
        outcome = self.cut_off(running)
        handler = self._registry.get(running.job.lane.type)
        if handler is not None and outcome.what is What.FAILED and self._failures.wanted:
            context = self._failure_context(running, handler, outcome)
            self._failures.begin(context, cause(outcome, None), running.variables)
        return outcome

    def cut_short(self) -> None:
        """The node cannot wait: failure hooks under way are cancelled, and no more are called."""
        self._failures.cut_short()

    # -- before the handler ----------------------------------------------------------------------

    def _refuse(self, running: Running) -> Outcome | None:
        """What keeps a handler from being started."""
        job = running.job
        if self.asked and (job.id, job.number) in self.asked:
            return Outcome(What.CANCELLED)
        if job.expires_at is not None and self._clock.now() >= job.expires_at:
            return endings.expired()
        if running.began >= self._lease.until:
            tell(self._events, StaleStart(job))
            return endings.RELEASED
        return None

    def _not_started(self, running: Running, outcome: Outcome) -> Outcome:
        """The outcome of a run that nobody ran."""
        running.run = Run(running.run.token)
        return outcome

    def _timeout(self, job: ClaimedJob, handler: Handler) -> float | None:
        """Seconds that the run may take: the job's word, then the handler's, then the default."""
        if job.timeout is not None:
            return job.timeout
        return self._default_timeout if handler.timeout == "default" else handler.timeout

    # -- the handler -----------------------------------------------------------------------------

    async def _on_loop(self, running: Running, handler: Handler, arguments: dict[str, Any]) -> Any:
        """Run a coroutine in the worker's own task. Its timeout counts from its first wait on: before that
        nothing could stop it."""
        context = running.variables = copy_context()
        if self._middleware:
            coroutine = self._wrapped(running, handler, arguments)
        elif handler.wants_context:
            coroutine = handler.function(self._context(running, handler), **arguments)
        else:
            coroutine = handler.function(**arguments)
        try:
            awaited = context.run(coroutine.send, None)
        except StopIteration as end:
            return end.value
        self._expect(running, handler)
        return await drive(coroutine, context, awaited)

    def _wrapped(self, running: Running, handler: Handler, arguments: dict[str, Any]) -> Coroutine[Any, Any, Any]:
        """The middleware, and within it the handler."""
        context = self._context(running, handler)
        return wrap(self._middleware, context, partial(self._innermost, running, handler, arguments, context))

    async def _innermost(self, running: Running, handler: Handler, arguments: dict[str, Any], context: Context) -> Any:
        """The handler, once the middleware gets there."""
        if running.reason is not None:  # it was told to end, and went on: but not to the handler
            raise CancelledError(running.reason.value)
        if handler.is_async:
            positional = (context,) if handler.wants_context else ()
            return await handler.function(*positional, **arguments)
        try:
            return await self._in_thread(running, handler, arguments, context)
        finally:
            self._ladder.thread_ended(running)

    async def _in_thread(
        self, running: Running, handler: Handler, arguments: dict[str, Any], context: Context | None = None
    ) -> Any:
        """Run a function in the worker's thread and wait for its answer."""
        positional = (context or self._context(running, handler),) if handler.wants_context else ()
        running.variables = variables = copy_context()
        function = partial(variables.run, handler.function, *positional, **arguments)
        running.call = call = running.slot.thread().call(function)
        self._expect(running, handler)
        try:
            answer = await call.answer
        except CancelledError:
            # not by us: we cancel no task that waits for a thread. The thread may run on, so it is given up
            call.stop()
            running.slot.give_up(running)
            raise
        if answer.error is not None:
            raise answer.error
        return answer.value

    async def _in_process(self, running: Running, handler: Handler, origin: Origin) -> Outcome:
        """Let the worker's process run a function: it decodes the payload, and what it answers is an outcome."""
        job, share = running.job, self._share()
        timeout = self._timeout(job, handler)
        deadline = None if timeout is None else running.began + timeout
        work = Work(origin, job, running.slot.id, running.began, deadline, share)
        try:
            running.call = call = running.slot.in_process(work)
        except ProcessNotStarted as error:
            return endings.process_lost(error, job, handler.retry, share)
        self._expect(running, handler)
        try:
            answer = await call.answer
        except CancelledError as error:
            running.slot.give_up(running)  # not by us, as in a thread; the process ends
            running.end()
            return self._raised(running, handler, error)
        running.end()
        if running.reason is not None:
            return endings.located(self.cut_off(running), answer.value)
        if isinstance(answer.error, HandlerError):
            return endings.process_lost(answer.error, job, handler.retry, share)
        outcome: Outcome = answer.value
        return outcome

    def _expect(self, running: Running, handler: Handler) -> None:
        timeout = self._timeout(running.job, handler)
        if timeout is not None and running.timer is None:
            self._ladder.expect(running, timeout)

    def _context(self, running: Running, handler: Handler, *, final: bool | None = None) -> Context:
        timeout = self._timeout(running.job, handler)
        deadline = None if timeout is None else running.began + timeout
        completed = partial(self._completed, running, handler)
        transaction = None if self._desk is None else partial(Transaction, self._desk, running, completed)
        return Context(running, deadline, self._admit, transaction, final=final)

    # -- after the handler -----------------------------------------------------------------------

    def _completed(self, running: Running, handler: Handler, value: Any) -> Outcome:
        """The completion with its follow-ups; a result that cannot be kept fails the run, and brings nothing."""
        outcome = self._returned(running, handler, value)
        if running.follow_ups and outcome.what is What.DONE:
            return msgspec.structs.replace(outcome, follow_ups=tuple(running.follow_ups))
        return outcome

    def _returned(self, running: Running, handler: Handler, value: Any) -> Outcome:
        """The handler's result as JSON."""
        if value is None:
            return endings.NOTHING
        outcome = endings.returned(value, self._encode, self._max_result)
        return outcome if outcome.error is None else endings.without(outcome, handler.hiding(running.job.payload))

    def _raised(self, running: Running, handler: Handler, error: BaseException) -> Outcome:
        """The handler raised: for a reason of ours, or of its own."""
        if running.committed is not None:
            log.warning(
                "%s A handler of type %s raised after its transaction had committed; its job is completed.",
                AlreadyCommitted.code,
                handler.type,
                exc_info=error,
                extra={"event": "raised_after_commit", "job_id": running.job.id, "worker_id": running.slot.id},
            )
            return _committed(running, running.committed)
        if running.reason is not None:
            return self.cut_off(running, error)
        return endings.raised(error, running.job, handler.retry, self._share(), handler.hiding(running.job.payload))

    def _swallowed(self, running: Running, handler: Handler) -> Outcome:
        """The handler was asked to end, and returned as if nothing had been: the reason counts.

        In a thread that may be an answer to `ctx.cancelled`; a coroutine has caught its CancelledError.
        """
        if running.cancelled:
            log.warning(
                "%s A handler of type %s was told to end (%s) and went on; its result is dropped.",
                CancellationSwallowed.code,
                handler.type,
                running.reason and running.reason.value,
                extra={"event": "cancellation_swallowed", "job_id": running.job.id, "worker_id": running.slot.id},
            )
        return self.cut_off(running)

    async def _failed(
        self, running: Running, handler: Handler, outcome: Outcome, error: BaseException | None
    ) -> Outcome:
        """Tell the failure hooks, if the attempt failed, before its outcome is handed over."""
        if outcome.what is What.FAILED and self._failures.wanted:
            context = self._failure_context(running, handler, outcome)
            await self._failures.tell(context, cause(outcome, error), running.variables)
        return outcome

    def _failure_context(self, running: Running, handler: Handler, outcome: Outcome) -> Context:
        """What the hooks are given: the run, and whether it was the last one."""
        final = decide(running.job, outcome, running.run, self._clock.now()).status is Status.FAILED
        return self._context(running, handler, final=final)


def _committed(running: Running, committed: Committed) -> Outcome:
    """The outcome that is in the store already. It is written once more, under the same token, so that events and
    books take their usual way."""
    running.run = committed.run
    return committed.outcome
