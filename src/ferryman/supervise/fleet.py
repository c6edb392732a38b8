"""The node processes of one supervisor: kept alive, told to stop in order, and buried when they die.

    spawn -> reports -> ended -> its claims are given back -> again, soon, or after a while if it keeps dying

Whoever dies is replaced; the claims of a dead process go back the moment the system says that it has ended, so
its jobs run again at once, whether other nodes are there or not.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ferryman.domain.errors import StoreError
from ferryman.engine.pause import Pause
from ferryman.supervise.nodeprocess import NodeProcess
from ferryman.supervise.report import Report

log: Final = logging.getLogger("ferryman.supervise")

STEADY: Final = 10.0
"""Seconds after which a process that dies is no failed start."""
LONGEST: Final = 30.0
"""Seconds between two starts of a process that keeps dying."""
LOOK: Final = 1.0
"""Seconds between two looks at who has gone silent."""
SLACK: Final = 5
"""Looks beyond LOOP_STALL: a process has written its stack to the log by then."""
LAST_WORDS: Final = 20.0
FORCED: Final = 4
"""How a process ends that was stopped by force, and so its supervisor, too."""


class Slot:
    """The place of one process, and who has it now."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: NodeProcess | None = None
        self.pause = Pause()
        self.failures = 0
        """How many processes in a row did not last."""


class Fleet:
    """Keeps `count` node processes alive. Says of them together what a node says of itself."""

    def __init__(
        self,
        command: Sequence[str],
        count: int,
        *,
        monotonic: Callable[[], float],
        give_back: Callable[[], Awaitable[object]],
        heard: Callable[[Report], None],
        hopeless: Callable[[int], None],
        stop_deadline: float,
        loop_stall: float,
        last_words: float = LAST_WORDS,
    ) -> None:
        """Make a fleet; nothing is started yet.

        Args:
            command: starts one node process; the flag that says where to report is added.
            monotonic: seconds that only grow.
            give_back: gives the claims of dead nodes back; raises StoreError.
            heard: gets each report of each process.
            hopeless: told the exit code of a process that ended by itself before any of them was ever ready.
            stop_deadline: seconds in which the runs of a process that stops may end.
            last_words: seconds that it has beyond that, to cut handlers off and to write outcomes.
            loop_stall: seconds of silence after which a process is stuck, and killed.
        """
        self._command = tuple(command)
        self._slots = [Slot(number) for number in range(1, count + 1)]
        self._monotonic = monotonic
        self._give_back = give_back
        self._heard = heard
        self._hopeless = hopeless
        self._patience = stop_deadline + last_words
        self._longest_silence = round(loop_stall / LOOK) + SLACK
        self._ever_ready = False
        self._stopping = False
        self._quiet = False
        self._keepers: list[asyncio.Task[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self.code = 0
        """The worst exit code of a process that was told to stop."""

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start every process; they say themselves when they are ready."""
        loop = asyncio.get_running_loop()
        self._keepers = [loop.create_task(self._keep(slot)) for slot in self._slots]
        self._timer = loop.call_later(LOOK, self._look)

    async def stop(self) -> None:
        """Ask every process to stop, and wait until it has ended; one that takes too long is killed."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        for slot in self._slots:
            slot.pause.cut()
        self._send(signal.SIGTERM)
        if self._keepers:
            _, late = await asyncio.wait(self._keepers, timeout=self._patience)
            if late:
                log.error("%d node processes would not end and are killed.", len(late), extra={"event": "node_killed"})
                self._send(signal.SIGKILL)
                await asyncio.wait(late)

    def quiet(self) -> None:
        """Have every process claim no more, also those that start from now on."""
        self._quiet = True
        self._hush()

    # -- what they are together ------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether at least one of them claims."""
        return not self._stopping and any(slot.process is not None and slot.process.ready for slot in self._slots)

    @property
    def workers(self) -> int:
        """How many jobs can run at once."""
        return sum(report.workers for report in self._reports())

    @property
    def channel_capacity(self) -> int:
        """How many claimed jobs they can hold for their workers."""
        return sum(report.channel_capacity for report in self._reports())

    @property
    def channel_length(self) -> int:
        """How many they hold."""
        return sum(report.channel_length for report in self._reports())

    @property
    def in_progress(self) -> int:
        """How many jobs run."""
        return sum(report.in_progress for report in self._reports())

    @property
    def pids(self) -> list[int]:
        """The processes that run."""
        return [slot.process.pid for slot in self._slots if slot.process is not None]

    def _reports(self) -> list[Report]:
        processes = [slot.process for slot in self._slots if slot.process is not None]
        return [process.report for process in processes if process.report is not None]

    # -- one of them -----------------------------------------------------------------------------

    async def _keep(self, slot: Slot) -> None:
        """Start a process in a slot, again and again, until the fleet stops."""
        while not self._is_stopping():
            began = self._monotonic()
            code = await self._run(slot)
            if code is None:
                continue
            if self._is_stopping():
                self._stopped(code)
                return
            await self._bury(slot, code)
            slot.failures = 0 if self._monotonic() - began >= STEADY else slot.failures + 1
            await slot.pause.wait(_delay(slot.failures))

    async def _run(self, slot: Slot) -> int | None:
        """One process, from its start to its exit code; None if it could not be started."""
        try:
            slot.process = process = await NodeProcess.start(self._command, self._hear)
        except OSError as error:
            slot.failures += 1
            log.error("A node process could not be started: %s", error, extra={"event": "node_not_started"})
            await slot.pause.wait(_delay(slot.failures))
            return None
        if self._is_stopping():  # the stop came while it was being started
            process.send(signal.SIGTERM)
        code = await process.ended()
        slot.process = None
        return code

    def _is_stopping(self) -> bool:
        """Asked anew after each await."""
        return self._stopping

    def _hear(self, report: Report) -> None:
        if report.ready:
            self._ever_ready = True
            if self._quiet:
                self._hush()
        self._heard(report)

    def _stopped(self, code: int) -> None:
        """A process ended as it was told to; SIGTERM ends one by itself as long as it has nothing to stop yet."""
        self.code = max(self.code, 0 if code == -signal.SIGTERM else FORCED if code < 0 else code)

    async def _bury(self, slot: Slot, code: int) -> None:
        """A process ended by itself: what it held goes back at once."""
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        fields = {"event": "node_died", "slot": slot.number, "exit_code": code}
        # in order: an operator wanted it to stop, or it got a SIGTERM of its own
        level = logging.ERROR if code else logging.INFO
        log.log(level, "The node process %d ended %s; another one takes its place.", slot.number, how, extra=fields)
        try:
            await self._give_back()
        except StoreError as error:  # the next node to start does it before anything else
            log.warning("Its claims could not be given back yet: %s", error, extra={"event": "rescue_failed"})
        if not self._ever_ready and code > 0:
            self._hopeless(code)

    # -- all of them -----------------------------------------------------------------------------

    def _send(self, number: signal.Signals) -> None:
        for slot in self._slots:
            if slot.process is not None:
                slot.process.send(number)

    def _hush(self) -> None:
        """Quiet those that have spoken: before that, the signal would end a process that does not know it yet."""
        for slot in self._slots:
            if slot.process is not None and slot.process.report is not None:
                slot.process.send(signal.SIGUSR1)

    def _look(self) -> None:
        """Kill who has been silent for too long. Counted in looks, as a supervisor that was frozen heard nobody."""
        self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)
        for slot in self._slots:
            process = slot.process
            if process is not None and process.look() > self._longest_silence:
                fields = {"event": "node_stuck", "slot": slot.number, "pid": process.pid}
                log.error("The node process %d is stuck and is killed.", slot.number, extra=fields)
                process.send(signal.SIGKILL)


def _delay(failures: int) -> float:
    """Seconds until the next start, after so many in a row that did not last: the first one is forgiven."""
    return 0.0 if failures <= 1 else float(min(0.5 * 2 ** min(failures - 2, 16), LONGEST))
