"""A supervisor with its node processes as the campaign sees it: who lives, who is to die where, who is left over."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Final

from tests.chaos import orders, triggers
from tests.chaos.fleet import Fleet, Slot
from tests.chaos.marked import end, marked
from tests.chaos.nemesis import PASSES, REACH_SECONDS
from tests.chaos.orders import ANY_TIME, CHILD, JUST_STARTED, MOMENTS, NEWBORN, NOW
from tests.chaos.supervised import mark_of

UP_SECONDS: Final = 3.0
"""How long the next act waits for all node processes. A supervisor lets one wait that keeps dying; one is enough."""
BACK_SECONDS: Final = 60.0
ORPHAN_SECONDS: Final = 10.0
"""In this time the node processes of a killed supervisor have stopped: their deadline, and some more to write."""


class Family:
    """Kills and waits. Everything happens on the campaign's thread, in the fleet's `wait`."""

    def __init__(self, fleet: Fleet, slot: Slot, processes: int, folder: Path, dice: random.Random) -> None:
        """`slot` is the supervisor's place; it has so many node processes, whose orders are read in `folder`."""
        self.orphaned: list[float] = []
        """For each supervisor that was killed: seconds until the last of its kin had ended."""
        self.missed = 0
        """How often nobody came to the point of an order; then they died wherever they were."""
        self._fleet = fleet
        self._slot = slot
        self._processes = processes
        self._folder = folder
        self._dice = dice

    @property
    def name(self) -> str:
        """The supervisor that is there now, or was there last."""
        return f"{self._slot.name}.{self._slot.generation}"

    def children(self) -> list[Path]:
        """The order pipes of its node processes that live."""
        return orders.living(self._folder, self.name)

    def kin(self) -> list[int]:
        """Every process that comes from it, itself aside."""
        return marked(mark_of(self._folder, self.name))

    def end(self) -> None:
        """After an accident: leave nobody of any supervisor that was there."""
        for generation in range(1, self._slot.generation + 1):
            end(mark_of(self._folder, f"{self._slot.name}.{generation}"))

    def wait_until_up(self) -> None:
        """All of them, or after a while at least one."""
        self._fleet.wait_until(lambda: self._slot.usable and bool(self.children()), BACK_SECONDS)
        self._fleet.wait_until(lambda: len(self.children()) >= self._processes, UP_SECONDS)

    def die(self, victims: str, during: str) -> None:
        """Some of them die while they do something, and another supervisor comes up where there is none any more."""
        point = self._dice.choice([point for point, moment in MOMENTS.items() if moment == during])
        if during == "accepting":
            self._kill_parent_at(point)
        elif during == JUST_STARTED:
            self._kill_newborn(victims, point)
        else:
            self._kill(self._dice.choice(self.children()), victims, point)

    def _kill_parent_at(self, point: str) -> None:
        """The supervisor dies at a point of its own work."""
        process, name = self._slot.process, self.name
        assert process is not None
        process.tell(triggers.spell(point, self._dice.choice(PASSES)))
        if not self._fleet.wait_until(lambda: self._slot.process is not process, REACH_SECONDS):
            self.missed += 1
            self._fleet.kill(self._slot)
        self._see_off(name)

    def _kill_newborn(self, victims: str, point: str) -> None:
        """The next node process dies as it starts. So that there is a next one, one of those that are there dies."""
        before, order = self.children(), self._folder / NEWBORN
        order.write_text(orders.spell(victims, 0, point), "utf-8")
        self._kill(self._dice.choice(before), CHILD, ANY_TIME)
        if not self._fleet.wait_until(lambda: not order.exists(), BACK_SECONDS):
            self.missed += 1
            order.unlink()
        elif victims != CHILD:
            self._await_the_parents_end(self.name)

    def _kill(self, child: Path, victims: str, point: str) -> None:
        name, passes = self.name, 0 if point in NOW else self._dice.choice(PASSES)
        orders.tell(child, orders.spell(victims, passes, point))
        if not self._fleet.wait_until(lambda: self._has_happened(child, victims, name), REACH_SECONDS):
            self.missed += 1
            orders.tell(child, orders.spell(victims, 0, ANY_TIME))
            self._fleet.wait_until(lambda: self._has_happened(child, victims, name), REACH_SECONDS)
        if victims != CHILD:
            self._await_the_parents_end(name)

    def _has_happened(self, child: Path, victims: str, name: str) -> bool:
        """Whether a death that was ordered has come."""
        if victims == CHILD:
            return not orders.tell(child, "")
        return self._is_gone(name)

    def _is_gone(self, name: str) -> bool:
        process = self._slot.process
        return process is None or process.name != name

    def _await_the_parents_end(self, name: str) -> None:
        if self._fleet.wait_until(lambda: self._is_gone(name), BACK_SECONDS):
            self._see_off(name)
        else:
            self._fleet.complaints.append(f"the supervisor {name} lives on")

    def _see_off(self, name: str) -> None:
        """Nobody of the kin of a supervisor that was killed may stay."""
        began, mark = time.monotonic(), mark_of(self._folder, name)
        if self._fleet.wait_until(lambda: not marked(mark), ORPHAN_SECONDS):
            self.orphaned.append(time.monotonic() - began)
        else:
            left = ", ".join(map(str, marked(mark)))
            self._fleet.complaints.append(f"of the kin of {name}, which was killed, processes live on: {left}")
