"""The nemesis of a fleet: what is done to processes, to their server, and to their connections."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

from ferryman.testing.history.entries import Calm
from tests.chaos.clients import Caller
from tests.chaos.fleet import Fleet, Slot
from tests.chaos.journal import Journal
from tests.chaos.nemesis import Nemesis
from tests.chaos.postgres.harm import Harm, Way
from tests.chaos.postgres.recoveries import WITHIN
from tests.chaos.postgres.troubles import Troubles

LEASE: Final = 10.0
BEAT: Final = 2.0
"""The defaults, by which P15 is promised."""
BREATH: Final = 20.0
"""Seconds in which everybody may come to work again after a trouble, before the next thing happens: so it is known
how long that takes. Often the next thing comes at once."""
BREATH_SHARE: Final = 0.6
MEANWHILE_SHARE: Final = 0.3
CALM_KILLS: Final = 2
FORKS: Final = 4
BETWEEN_KILLS: Final = 3.0


class FleetNemesis(Nemesis):
    """The harm of `Nemesis`, and `Harm` besides."""

    def __init__(
        self,
        fleet: Fleet,
        nodes: Sequence[Slot],
        producers: Sequence[Slot],
        caller: Caller,
        journal: Journal,
        dice: random.Random,
        way: Way,
        troubles: Troubles,
        well: Callable[[], Callable[[], bool]],
    ) -> None:
        """`well` begins to watch for everybody to be at work, and gives what says whether that is so."""
        super().__init__(fleet, nodes, producers, None, caller, journal, dice, LEASE)
        self._well = well
        self.harm = Harm(way, troubles, dice, fleet.wait_until, self._meanwhile)

    def calm(self) -> None:
        """Nodes die while all else is well."""
        self._fleet.wait_until(self._fleet.all_up, 60.0)
        self._fleet.wait(LEASE + 2 * BEAT)  # those who had been taken for dead have begun anew
        self._journal.note(Calm)
        for number, victim in enumerate(self._dice.sample(list(self._nodes), CALM_KILLS)):
            for _ in range(FORKS * number):  # a child that lives on holds its parent's connections open
                self._enqueue("fork")
            self._die(victim, "handler started")
            self._fleet.wait(BETWEEN_KILLS)
        self._fleet.wait(WITHIN)
        self._fleet.wait_until(self._fleet.all_up, 60.0)

    def _acts(self) -> list[Callable[[], None]]:
        return [*super()._acts(), *(lambda harm=harm: self._hurt(harm) for harm in self.harm.kinds.values())]

    def _hurt(self, harm: Callable[[], None]) -> None:
        harm()
        if self._dice.random() < BREATH_SHARE:
            self._fleet.wait_until(self._well(), BREATH)

    def _meanwhile(self) -> None:
        """Sometimes trouble does not come alone."""
        usable = self._usable()
        if usable and self._dice.random() < MEANWHILE_SHARE:
            act = self._dice.choice([self._fleet.kill, self._fleet.stop])
            act(self._dice.choice(usable))
