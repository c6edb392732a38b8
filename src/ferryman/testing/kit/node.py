"""A node with one worker that runs a job when it is told to, and at no other time."""

from __future__ import annotations

import asyncio
import logging
import math
from asyncio import CancelledError
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, NoReturn

import msgspec

from ferryman.domain import strictjson
from ferryman.domain.claim import ClaimRequest
from ferryman.domain.errors import (
    FerrymanError,
    HandlerTimedOut,
    JobFailed,
    PayloadMismatch,
    ResultNotSerialisable,
    ResultTooLarge,
)
from ferryman.domain.events import Events
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.engine.capture import Capture
from ferryman.engine.deadlines import Deadlines
from ferryman.engine.executor import Executor
from ferryman.engine.heartbeat import Lease
from ferryman.engine.notebook import Notebook
from ferryman.engine.registry import Handler, Registry
from ferryman.engine.running import Ladder, Reason, Running
from ferryman.engine.signals import Retry
from ferryman.engine.threads import HandlerThread
from ferryman.engine.work import Work
from ferryman.store.protocol import NodeInfo
from ferryman.testing.kit.store import at_once
from ferryman.testing.kit.world import KitWorld
from ferryman.version import VERSION

GRACE: Final = 5.0
"""Seconds that a handler has to end once it was cancelled, as in a real node."""
BATCH: Final = 1000
WHOLE_JITTER: Final = math.nextafter(1.0, 0.0)
"""Backoff takes its whole delay, so that a test can say when a retry is due."""

_UNDER_WAY: Final[ContextVar[tuple[object, ...]]] = ContextVar("ferryman_under_way", default=())
"""The nodes inside whose handlers this code runs."""


class Ran(msgspec.Struct, frozen=True):
    """One run that has ended: its job's id, and what a test should hear of if the attempt failed."""

    id: str
    error: BaseException | None


class HandNode:
    """Claims one job at a time and runs it on the loop that asks, with the executor of every node."""

    def __init__(self, world: KitWorld, thread: Callable[[], HandlerThread]) -> None:
        """`thread` gives the thread for a handler written with `def`."""
        self._world = world
        self._thread = thread
        now = world.clock.now()
        self.id = world.ids.mint(now)
        registry = world.registry
        info = NodeInfo(self.id, "localhost", 0, VERSION, registry.types, None, 1, registry.declarations)
        self._number = at_once(world.store.register(info, now))

    def runs_this_code(self) -> bool:
        """Whether whoever asks is a handler that this node runs just now."""
        return self in _UNDER_WAY.get()

    def promote(self) -> int | None:
        """Make due what is due, let in whom a token is there for, and cancel what has expired; gives the time when the
        next job is due."""
        store, now = self._world.store, self._world.clock.now()
        while at_once(store.expire(now, BATCH)):
            pass
        while (promoted := at_once(store.promote(now, BATCH))).count == BATCH:
            pass
        admitted = at_once(store.admit(now, BATCH))
        return min((due for due in (promoted.next_due, admitted.next_due) if due is not None), default=None)

    async def run_next(self) -> Ran | None:
        """Run the job whose turn it is; None where none is pending."""
        world = self._world
        types = world.registry.types
        request = ClaimRequest(self._number, world.ids.number(), types, None, limit=1, idle=1, alone=True)
        batch = at_once(world.store.claim(request, world.clock.now()))
        return await self._run(batch.jobs[0]) if batch.jobs else None

    async def _run(self, job: ClaimedJob) -> Ran:
        world = self._world
        ladder = Ladder(Deadlines(world.clock.monotonic), GRACE)
        notebook = Notebook(world.clock, world.registry.hiding)
        executor = _Executor(world, ladder, notebook)
        capture = Capture(notebook, logging.INFO)
        slot = _Slot(f"{self.id}/worker-1", self._thread)
        run = Run(world.ids.number(), slot.number, world.clock.now())
        running = Running(job, run, slot, world.clock.monotonic())
        await capture.start()
        before = _UNDER_WAY.set((*_UNDER_WAY.get(), self))
        try:
            slot.begin(executor.run(running))
        finally:
            _UNDER_WAY.reset(before)
        try:
            await slot.end()
        except CancelledError:
            ladder.stop(running, Reason.INTERRUPT)
            await slot.end()
            raise
        finally:
            await capture.stop()
            running.unheard = True
            outcome = self._outcome(executor, running, slot)
            finish = decide(job, outcome, running.run, world.clock.now())
            at_once(world.store.report(self._number, notebook.last([finish])))
            at_once(world.store.finish(self._number, [finish], finish.finished_at))
        return Ran(job.id, _error_of(outcome, running, executor.raised))

    def _outcome(self, executor: _Executor, running: Running, slot: _Slot) -> Outcome:
        if not slot.task.done():
            return Outcome(What.INTERRUPTED) if running.reason is None else executor.cut_off(running)
        return Outcome(What.RELEASED) if slot.task.cancelled() else slot.task.result()


class _Executor(Executor):
    """The executor of every node; it remembers what the handler raised."""

    def __init__(self, world: KitWorld, ladder: Ladder, notebook: Notebook) -> None:
        super().__init__(
            _Here(world.registry),
            world.clock,
            ladder,
            Lease(),
            Events(),
            encode=strictjson.encode,
            share=lambda: WHOLE_JITTER,
            default_timeout=world.limits.default_timeout,
            max_result=world.limits.max_result,
            admit=world.admission.admit,
            desk=None,
            listener=notebook,
        )
        self.raised: BaseException | None = None

    def _raised(self, running: Running, handler: Handler, error: BaseException) -> Outcome:
        self.raised = error
        return super()._raised(running, handler, error)


class _Here(Registry):
    """The app's handlers; those of worker processes run as any `def` does, where a test can see into them."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self._registry = registry

    def get(self, type: str) -> Handler | None:
        handler = self._registry.get(type)
        return None if handler is None else msgspec.structs.replace(handler, origin=None)


class _Slot:
    """What a run needs of its worker."""

    def __init__(self, id: str, thread: Callable[[], HandlerThread]) -> None:
        self.id = id
        self.number = 1
        self._make_thread = thread
        self._own: HandlerThread | None = None
        self._task: asyncio.Task[Any] | None = None
        self._stuck: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def task(self) -> asyncio.Task[Any]:
        assert self._task is not None
        return self._task

    def begin(self, run: Any) -> None:
        self._task = asyncio.get_running_loop().create_task(run, name=self.id)

    async def end(self) -> None:
        """Wait until the run has ended, or was given up."""
        await asyncio.wait((self.task, self._stuck), return_when=asyncio.FIRST_COMPLETED)
        if self._own is not None:
            self._own.end()

    def thread(self) -> HandlerThread:
        self._own = self._make_thread()
        return self._own

    def in_process(self, work: Work) -> NoReturn:
        raise NotImplementedError  # see `_Here`

    def give_up(self, running: Running) -> None:
        if running.call is not None:
            running.call.give_up()
        elif not self._stuck.done():
            self._stuck.set_result(None)


_KINDS: Final[tuple[type[FerrymanError], ...]] = (
    HandlerTimedOut,
    ResultNotSerialisable,
    ResultTooLarge,
    PayloadMismatch,
)


def _error_of(outcome: Outcome, running: Running, raised: BaseException | None) -> BaseException | None:
    """What a test should hear of a failed attempt: what the handler raised, if that is why; else the job's error."""
    told, job = outcome.error, running.job
    if outcome.what is not What.FAILED or told is None or isinstance(raised, Retry):
        return None
    if running.reason is None and raised is not None and not isinstance(raised, CancelledError):
        return raised.with_traceback(_handlers_part(raised.__traceback__))
    why = f"It was job {job.id} of type {job.type}, attempt {job.attempt} of {job.max_attempts}."
    for kind in _KINDS:
        if kind.code == told.code:
            return kind(told.message, why=why)
    return JobFailed(
        f"{told.code} {told.type}: {told.message}",
        why=why,
        error_code=told.code,
        error_type=told.type,
        error_message=told.message,
    )


def _handlers_part(trace: TracebackType | None) -> TracebackType | None:
    """Without the frames by which we called the handler."""
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith("ferryman.engine."):
        trace = trace.tb_next
    return trace
