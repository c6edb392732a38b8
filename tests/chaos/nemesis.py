"""What is done to the processes, in rounds: each round does everything once, in an order of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from ferryman.testing.history.entries import IN_FLIGHT, Calm
from tests.chaos.clients import Caller, Wanted
from tests.chaos.disk import Disk
from tests.chaos.fleet import Fleet, Slot
from tests.chaos.journal import Journal
from tests.chaos.triggers import POINTS, spell

LEASE: Final = 3.0
LOOP_STALL: Final = 2.0
REACH_SECONDS: Final = 4.0
"""How long a process may take to come to the point at which it is to die; then it is killed wherever it is."""
TRIES: Final = 3
PASSES: Final = (0, 0, 1, 3)
"""How often a process may pass the point at which it is to die."""
GAP: Final = (0.1, 0.8)
"""Seconds between two acts."""
FULL_SECONDS: Final = 2.0
FILL_EVERY: Final = 3
"""Rounds from one full disk to the next."""
BULK: Final = "x" * 900_000
"""A large payload: the log of the database, 16 MB and more, is written from its beginning again and again, so
that even on a full disk some jobs are accepted, and stay."""
CALM_KILLS: Final = 3


class Nemesis:
    """Does the harm. `nodes` and `producers` are where it finds its victims."""

    def __init__(
        self,
        fleet: Fleet,
        nodes: Sequence[Slot],
        producers: Sequence[Slot],
        disk: Disk | None,
        caller: Caller,
        journal: Journal,
        dice: random.Random,
        lease: float = LEASE,
    ) -> None:
        self.full: list[tuple[float, float]] = []
        """From when to when the disk was full, in seconds of the monotonic clock."""
        self.refused_full = 0
        """How many times a request for a job was refused because of that."""
        self._fleet = fleet
        self._nodes = nodes
        self._producers = producers
        self._disk = disk
        self._caller = caller
        self._journal = journal
        self._dice = dice
        self._lease = lease

    def storm(self, until: float) -> None:
        """Rounds, until a time has come and at least one round is over."""
        rounds = 0
        while not rounds or time.monotonic() < until:
            for act in self._round(fills=rounds % FILL_EVERY == 0):
                act()
                self._fleet.wait(self._dice.uniform(*GAP))
                if rounds and time.monotonic() >= until:
                    return
            rounds += 1

    def calm(self) -> None:
        """The end of all faults but one: a node is killed while others are well, which P15 puts a time to."""
        self._fleet.wait_until(self._fleet.all_up, 60.0)
        self._fleet.wait(self._lease)  # a node that was frozen until now has found out what became of it
        self._journal.note(Calm)
        for number in range(CALM_KILLS):
            self._fleet.wait_until(self._fleet.all_up, 60.0)
            for _ in range(4 * number):  # a child that lives on must not keep its parent's claims
                self._enqueue("fork")
            self._die(self._dice.choice(self._nodes), "handler started")
            self._fleet.wait(2.0)
        self._fleet.wait_until(self._fleet.all_up, 60.0)

    def _round(self, *, fills: bool) -> list[Callable[[], None]]:
        """Every act once, among them a death in each class; the disk is filled only in some rounds."""
        acts = self._acts()
        if fills and self._disk is not None and self._disk.spacious:
            acts.append(self._fill_disk)
        self._dice.shuffle(acts)
        return acts

    def _acts(self) -> list[Callable[[], None]]:
        """All that is done to processes."""
        deaths = [lambda during=during: self._die_during(during) for during in IN_FLIGHT]
        return [
            *deaths,
            self._kill_any,
            self._stop_any,
            self._freeze_long,
            self._freeze_short,
            lambda: self._enqueue("block", {"seconds": LOOP_STALL + self._lease + 1.0}),
            lambda: self._enqueue("exit"),
            lambda: self._enqueue("poison", most=2),
            lambda: self._enqueue("leave"),
            lambda: self._enqueue("leave_thread"),
            lambda: self._enqueue("mute"),
            lambda: self._enqueue("fork"),
            lambda: self._fleet.kill(self._dice.choice(self._producers)),
        ]

    # -- deaths ------------------------------------------------------------------------------------

    def _die_during(self, during: str) -> None:
        """A process dies at one of the points of a class; another one has to where the first does not come to it."""
        points = [point for point, where in POINTS.items() if where == during]
        victims = [*self._nodes, *self._producers] if during == "accepting" else self._nodes
        for _ in range(TRIES):
            usable = [slot for slot in victims if slot.usable] or victims
            if self._die(self._dice.choice(usable), self._dice.choice(points)):
                return

    def _die(self, slot: Slot, point: str) -> bool:
        """Whether the process came to the point; it dies in any case."""
        if not self._fleet.wait_until(lambda: slot.usable, 20.0):
            return False
        process = slot.process
        assert process is not None
        process.tell(spell(point, self._dice.choice(PASSES)))
        if self._fleet.wait_until(lambda: slot.process is not process, REACH_SECONDS):
            return True
        self._fleet.kill(slot)
        return False

    def _kill_any(self) -> None:
        """A node dies at a time of the clock."""
        self._fleet.wait(self._dice.uniform(0, 0.3))
        self._fleet.kill(self._any_node())

    def _stop_any(self) -> None:
        """A node is asked to stop."""
        self._fleet.stop(self._any_node())

    def _any_node(self) -> Slot:
        usable = self._usable()
        self._fleet.wait_until(lambda: bool(usable or self._usable()), 20.0)
        return self._dice.choice(self._usable() or list(self._nodes))

    def _usable(self) -> list[Slot]:
        return [slot for slot in self._nodes if slot.usable]

    # -- pauses ------------------------------------------------------------------------------------

    def _freeze_long(self) -> None:
        """Past the lease: the others take the node for dead, then it goes on. Meanwhile there are other acts."""
        self._fleet.freeze(self._any_node(), self._lease + self._dice.uniform(0.8, 1.5))

    def _freeze_short(self) -> None:
        """Less than the lease: nobody may take its claims."""
        self._fleet.freeze(self._any_node(), self._dice.uniform(0.2, self._lease / 2))

    # -- handlers and the disk -----------------------------------------------------------------------

    def _enqueue(self, type: str, payload: dict[str, object] | None = None, most: int | None = None) -> None:
        wanted = Wanted(type, payload or {}) if most is None else Wanted(type, payload or {}, max_attempts=most)
        self._caller.submit(wanted, patience=2.0)

    def _fill_disk(self) -> None:
        """No room for a while: new jobs are refused, those that were accepted are not lost."""
        assert self._disk is not None
        self._fleet.wait_until(lambda: len(self._usable()) > 1, 20.0)
        began, before = time.monotonic(), self._refusals()
        self._disk.fill()
        try:
            for _ in range(40):
                if self._refusals() > before or time.monotonic() > began + 10.0:
                    break
                self._caller.submit(Wanted("bulky", {"text": BULK}), patience=0.3)
            self._fleet.wait(FULL_SECONDS / 2)
            self._fleet.kill(self._any_node())
            self._fleet.wait(FULL_SECONDS / 2)
        finally:
            self._disk.free()
        self.full.append((began, time.monotonic()))
        self.refused_full += self._refusals() - before

    def _refusals(self) -> int:
        return self._caller.codes["FM208"]
