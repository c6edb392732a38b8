"""A worker: one of the node's N loops. Receives a job, runs it, hands over the outcome.

It takes no lock: everything that it shares lives on one event loop. It knows the channel it receives
from and the completer it hands over to, never the store, HTTP or settings.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Generator
from typing import Protocol

from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Run
from ferryman.engine.channel import Channel, ChannelClosed
from ferryman.engine.completer import Completer
from ferryman.engine.executor import Executor
from ferryman.engine.processes import HandlerProcess, ProcessCall
from ferryman.engine.running import Running
from ferryman.engine.threads import HandlerThread, ThreadCall
from ferryman.engine.work import Work
from ferryman.store.protocol import Clock


class Overseer(Protocol):
    """Whom a worker tells that a handler will not end, and asks for a process."""

    def start_process(self, worker: str) -> HandlerProcess:
        """A new process for a worker. Raises ProcessNotStarted."""
        ...

    def thread_given_up(self, running: Running, thread: HandlerThread) -> None:
        """The worker goes on with another thread."""

    def worker_given_up(self, worker: Worker) -> None:
        """The worker itself is stuck in the handler; another one is to take its number."""


class Worker:
    """One loop over the channel, in a task of its own."""

    def __init__(
        self,
        id: str,
        number: int,
        channel: Channel[ClaimedJob],
        executor: Executor,
        completer: Completer,
        overseer: Overseer,
        clock: Clock,
        token: Callable[[], int],
    ) -> None:
        """`id` is for people, `number` counts from 1 in a node; `token` gives each run its own."""
        self.id = id
        self.number = number
        self.running: Running | None = None
        """The run under way; only this worker's task sets it."""
        self._channel = channel
        self._executor = executor
        self._completer = completer
        self._overseer = overseer
        self._clock = clock
        self._token = token
        self._task: asyncio.Task[None] | None = None
        self._thread: HandlerThread | None = None
        self._process: HandlerProcess | None = None
        self._given_up = False

    @property
    def task(self) -> asyncio.Task[None]:
        """The task that `start` made."""
        assert self._task is not None
        return self._task

    def start(self) -> asyncio.Task[None]:
        """Begin to work."""
        self._task = asyncio.get_running_loop().create_task(self._work(), name=self.id)
        return self._task

    def thread(self) -> HandlerThread:
        """The worker's thread, started with the first handler that needs one."""
        if self._thread is None:
            self._thread = HandlerThread(self.id)
        return self._thread

    def in_process(self, work: Work) -> ProcessCall:
        """Run a job in the worker's process, started with the first one that needs it. Raises ProcessNotStarted."""
        if self._process is None or not self._process.usable:
            self._process = self._overseer.start_process(self.id)
        return self._process.call(work)

    def give_up(self, running: Running) -> None:
        """The handler will not end: its run is written as ended, and the work goes on without it."""
        if isinstance(running.call, ThreadCall):
            thread, self._thread = self.thread(), None
            thread.end()
            running.call.give_up()
            self._overseer.thread_given_up(running, thread)
        elif running.call is not None:
            running.call.give_up()  # which really ends it, so that nobody needs to know
        elif not self._given_up:
            self._given_up = running.unheard = True
            self._completer.submit(running.job, self._executor.given_up(running), running.run)
            self._overseer.worker_given_up(self)

    async def _work(self) -> None:
        channel, executor, completer, clock = self._channel, self._executor, self._completer, self._clock
        task, number, token = self.task, self.number, self._token
        try:
            while True:
                job = await channel.receive()
                run = Run(token(), number, clock.now())
                running = self.running = Running(job, run, self, clock.monotonic())
                outcome = await executor.run(running)
                running.unheard = True
                running.variables = None  # which name the run, too: a cycle for each job would be left to the collector
                if self._given_up:
                    completer.too_late(job, outcome, running.run)
                    return
                completer.submit(job, outcome, running.run)
                self.running = None
                if task.cancelling():
                    await _shake_off(task)
                else:
                    await _turn()  # so that jobs that never wait spread over the workers, and HTTP gets its turn
        except ChannelClosed:
            return
        finally:
            if self._thread is not None:
                self._thread.end()
            if self._process is not None:
                self._process.end()


async def _shake_off(task: asyncio.Task[None]) -> None:
    """The ended run was cancelled, maybe so late that it has not noticed: the next job must not."""
    while task.cancelling():
        task.uncancel()
    try:
        await _turn()
    except asyncio.CancelledError:
        return


@types.coroutine
def _turn() -> Generator[None]:
    """Let everything else that is ready on the loop run once."""
    yield
