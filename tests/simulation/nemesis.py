"""Does to processes what the plan says."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from ferryman.domain.job import MICROS
from ferryman.testing.clock import EPOCH
from ferryman.testing.history import entries
from tests.simulation.loop import pause
from tests.simulation.notes import Notes
from tests.simulation.plan import FaultPlan
from tests.simulation.process import Process
from tests.simulation.weather import Fate

LOOK: Final = 0.01
PATIENCE: Final = 200
"""How often, in seconds, and how many times it looks for a process that runs something."""
Harm = Callable[[Process, FaultPlan], None]


class Nemesis:
    """Kills, stops, freezes and sets clocks; orders bad weather."""

    def __init__(
        self,
        notes: Notes,
        living: Callable[[], list[Process]],
        spawn: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> None:
        """`living` gives the processes that have not ended; `spawn` runs something beside them."""
        self.latest = EPOCH
        """The latest that any wall clock has been set to, as an offset to virtual time, in microseconds."""
        self._notes = notes
        self._living = living
        self._spawn = spawn
        self._ways: dict[str, Harm] = {
            "kill": lambda process, fault: process.light(fault.steps, process.kill, threads=fault.after),
            "die at": lambda process, fault: process.weather.order(fault.verb, _death(fault), 1),
            "stop": lambda process, fault: process.light(fault.steps, process.begin_stop),
            "stop at": lambda process, fault: process.weather.order(fault.verb, _stop(fault), 1),
            "pause": lambda process, fault: self._freeze(process, fault, loop_only=False),
            "hold up": lambda _process, fault: self._spawn(self._hold_up(fault)),
            "block": lambda process, fault: self._freeze(process, fault, loop_only=True),
            "step": self._step,
            "fail": lambda process, fault: process.weather.order(fault.verb, _when(fault), fault.times),
            "slow": lambda process, fault: process.weather.order(fault.verb, "slow", fault.times),
            "beats": lambda process, fault: process.weather.order("beat", "before", fault.times * 4),
            "outage": lambda process, fault: self._spawn(self._outage(process, fault.seconds)),
        }

    async def harm(self, fault: FaultPlan) -> None:
        """Do one thing, if there is anybody to do it to."""
        living = self._living()
        if living:
            self._ways[fault.what](living[fault.which % len(living)], fault)

    def block(self, process: Process, seconds: float) -> None:
        """A handler blocks its process's event loop."""
        self._hold(process, seconds, loop_only=True)

    def _freeze(self, process: Process, fault: FaultPlan, *, loop_only: bool) -> None:
        process.light(fault.steps % 20, partial(self._hold, process, fault.seconds, loop_only=loop_only))

    async def _hold_up(self, fault: FaultPlan) -> None:
        """Who runs jobs is frozen with them."""
        for _ in range(PATIENCE):
            busy = [process for process in self._living() if process.up and process.busy]
            if busy:
                self._hold(max(busy, key=lambda process: process.busy), fault.seconds, loop_only=False)
                return
            await pause(LOOK)

    def _hold(self, process: Process, seconds: float, *, loop_only: bool) -> None:
        if process.alive and not process.home.held:
            process.hold(loop_only=loop_only)
            self._spawn(self._wake(process, seconds))

    async def _wake(self, process: Process, seconds: float) -> None:
        await pause(seconds)
        process.let_go()

    async def _outage(self, process: Process, seconds: float) -> None:
        process.weather.outage(on=True)
        await pause(seconds)
        process.weather.outage(on=False)

    def _step(self, process: Process, fault: FaultPlan) -> None:
        """Set the wall clock: of the machine, or of one process."""
        everybody = fault.steps % 2 == 0
        self._notes.note(entries.Stepped, "nemesis", seconds=fault.seconds, process="" if everybody else process.name)
        for clock in [each.clock for each in self._living()] if everybody else [process.clock]:
            clock.offset += round(fault.seconds * MICROS)
            self.latest = max(self.latest, clock.offset)


def _when(fault: FaultPlan) -> Fate:
    """The call fails before the store has done it, or after."""
    return "after" if fault.after else "before"


def _stop(fault: FaultPlan) -> Fate:
    """The call fails before or after, and at that moment the process is asked to stop."""
    return "stop after" if fault.after else "stop before"


def _death(fault: FaultPlan) -> Fate:
    """The process dies before the store has done it, in the middle, or after."""
    if fault.steps % 3 == 0:
        return "die within"
    return "die after" if fault.after else "die before"
