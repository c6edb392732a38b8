"""The N workers of a node: all receive from one channel, each has its number and its id."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, Final

from ferryman.domain.events import Events, ThreadStuck
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Outcome, What
from ferryman.engine.channel import Channel
from ferryman.engine.completer import Completer
from ferryman.engine.executor import Executor
from ferryman.engine.processes import HandlerProcess, Processes
from ferryman.engine.running import Ladder, Reason, Running
from ferryman.engine.telling import tell
from ferryman.engine.threads import HandlerThread
from ferryman.engine.worker import Worker
from ferryman.store.protocol import Clock

log: Final = logging.getLogger("ferryman.engine")


class Pool:
    """Starts the workers, replaces those that cannot go on, and stops them."""

    def __init__(
        self,
        node: str,
        count: int,
        channel: Channel[ClaimedJob],
        executor: Executor,
        completer: Completer,
        ladder: Ladder,
        events: Events,
        clock: Clock,
        token: Callable[[], int],
        *,
        processes: Processes,
        last_grace: float,
    ) -> None:
        """Make a pool.

        Args:
            node: the node's id, from which the workers have theirs.
            count: how many workers.
            token: gives each run its own.
            processes: starts what runs handlers that are declared so.
            last_grace: seconds that handlers have to end once the stop has cut them off.
        """
        self._node = node
        self._count = count
        self._channel = channel
        self._executor = executor
        self._completer = completer
        self._ladder = ladder
        self._events = events
        self._clock = clock
        self._token = token
        self._processes = processes
        self._last_grace = last_grace
        self._workers: dict[int, Worker] = {}
        self._stopping = False
        self._given_up: list[HandlerThread] = []

    @property
    def in_progress(self) -> int:
        """How many of them run a job."""
        return len(self.running())

    @property
    def stuck_threads(self) -> int:
        """How many threads were given up and have still not ended."""
        return sum(thread.alive for thread in self._given_up)

    async def start(self) -> None:
        """Start every worker."""
        if not self._workers and not self._stopping:
            for number in range(1, self._count + 1):
                self._begin(number)

    def running(self) -> list[Running]:
        """The runs under way."""
        workers = list(self._workers.values())  # at once, because the loop watch asks from its thread
        return [worker.running for worker in workers if worker.running is not None]

    def running_in(self, task: asyncio.Task[Any] | None) -> tuple[str, ...]:
        """Names the job whose handler a task runs, for people."""
        return tuple(
            f"job {running.job.id} of type {running.job.type} on {running.slot.id}"
            for running in self.running()
            if running.slot.task is task
        )

    def cancel(self, asked: Collection[tuple[str, int]]) -> None:
        """End the runs (id, claim number) whose cancel was asked for; those in the channel do not start."""
        self._executor.asked = frozenset(asked)
        for running in self.running():
            if (running.job.id, running.job.number) in self._executor.asked:
                self._ladder.stop(running, Reason.CANCEL)

    async def stop(self, deadline: float, reason: Reason = Reason.INTERRUPT) -> None:
        """Let the runs under way end, for at most `deadline` seconds; then cut them off.

        The channel has to be closed before. What has not ended a last grace after the cut is given up.
        When this returns, every run has been handed to the completer.
        """
        self._stopping = True
        await _all_ended(self._workers.values(), deadline)
        if not _ended(self._workers.values()):
            self.cut_off(reason)
            await _all_ended(self._workers.values(), self._last_grace)
            self._give_up()
            await _all_ended(self._workers.values(), self._last_grace)
            self._give_up()  # the middleware around a thread that was given up did not end either
        self._executor.cut_short()
        await self._processes.stop(self._last_grace)

    def cut_off(self, reason: Reason) -> None:
        """Ask every run to end, now."""
        self._executor.cut_short()
        for running in self.running():
            self._ladder.stop(running, reason)

    def _give_up(self) -> None:
        """Wait no longer for the runs that were asked to end."""
        for running in self.running():
            if running.reason is not None:
                running.slot.give_up(running)

    # -- processes, and replacing ----------------------------------------------------------------

    def start_process(self, worker: str) -> HandlerProcess:
        """A new process for a worker. Raises ProcessNotStarted."""
        return self._processes.start(worker)

    def thread_given_up(self, running: Running, thread: HandlerThread) -> None:
        """A handler's thread would not end; its worker goes on with another one."""
        self._given_up = [each for each in self._given_up if each.alive]
        self._given_up.append(thread)
        tell(self._events, ThreadStuck(running.job, running.slot.id))

    def worker_given_up(self, worker: Worker) -> None:
        """A handler would not end its worker's task; another worker takes its number."""
        log.warning("The handler on %s would not end; the worker is replaced.", worker.id)
        self._workers.pop(worker.number, None)
        if not self._stopping:
            self._begin(worker.number)

    def _begin(self, number: int) -> None:
        worker = Worker(
            f"{self._node}/worker-{number}",
            number,
            self._channel,
            self._executor,
            self._completer,
            self,
            self._clock,
            self._token,
        )
        self._workers[number] = worker
        worker.start().add_done_callback(partial(self._worker_ended, worker))

    def _worker_ended(self, worker: Worker, task: asyncio.Task[None]) -> None:
        """Heal what should not happen: a worker that was cancelled from outside, or failed itself."""
        error = None if task.cancelled() else task.exception()
        if not task.cancelled() and error is None:
            return
        if error is not None:
            log.error("The worker %s failed; another one takes its place.", worker.id, exc_info=error)
        if self._workers.get(worker.number) is not worker:
            return
        running, worker.running = worker.running, None
        if running is not None:
            running.unheard = True
            self._completer.submit(running.job, Outcome(What.INTERRUPTED), running.run)
        self._workers.pop(worker.number)
        if not self._stopping:
            self._begin(worker.number)


def _ended(workers: Iterable[Worker]) -> bool:
    return all(worker.task.done() for worker in workers)


async def _all_ended(workers: Iterable[Worker], seconds: float) -> None:
    """Wait until the workers' loops have ended, for at most so many seconds."""
    tasks = [worker.task for worker in workers if not worker.task.done()]
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
