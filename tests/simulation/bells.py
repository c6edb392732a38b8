"""Wakeups between simulated processes: late, out of order, or lost."""

from __future__ import annotations

import random
from collections.abc import Callable

from ferryman.store.bell import Ring
from tests.simulation.loop import LANE, Lane, SimLoop


class Exchange:
    """Joins the bells of all processes."""

    def __init__(self, loop: SimLoop, dice: random.Random, deaf: float) -> None:
        """`deaf` is the share of rings that is lost."""
        self.loop = loop
        self.dice = dice
        self.deaf = deaf
        self.listeners: dict[SimBell, tuple[Lane, Callable[[Ring], None]]] = {}


class SimBell:
    """Implements `Bell` for one process."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def listen(self, name: str, rung: Callable[[Ring], None]) -> None:
        """Hear, on the lane of the caller."""
        lane = LANE.get()
        assert lane is not None
        self._exchange.listeners[self] = (lane, rung)

    def ring(self, what: Ring) -> None:
        """Tell every other process, each after a moment of its own."""
        exchange = self._exchange
        for bell, (lane, rung) in exchange.listeners.items():
            if bell is not self and exchange.dice.random() >= exchange.deaf:
                delay = exchange.dice.random() * 0.005
                exchange.loop.call_later(delay, rung, what, context=lane.context.copy())

    def close(self) -> None:
        """Hear no more."""
        self._exchange.listeners.pop(self, None)
