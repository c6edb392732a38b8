"""Who is told that there may be work."""

from __future__ import annotations

from collections.abc import Callable

from ferryman.store.bell import Ring
from ferryman.store.protocol import Wakeup


class LocalWakeup:
    """Implements the store's `Wakeup` for the parts of this process; to be called on its event loop."""

    def __init__(self) -> None:
        self._node: str | None = None
        self._work: Callable[[], None] = _nobody
        self._scheduled: Callable[[int], None] = _nobody_waits
        self._cancelled: Callable[[], None] = _nobody

    def connect(
        self, node: str, work: Callable[[], None], scheduled: Callable[[int], None], cancelled: Callable[[], None]
    ) -> None:
        """From now on tell these parts of this node; replaces those of a node that was lost."""
        self._node, self._work, self._scheduled, self._cancelled = node, work, scheduled, cancelled

    def disconnect(self) -> None:
        """Tell nobody any more."""
        self._node, self._work, self._scheduled, self._cancelled = None, _nobody, _nobody_waits, _nobody

    def work(self) -> None:
        """Tell the dispatcher."""
        self._work()

    def scheduled(self, run_at: int) -> None:
        """Tell the sweeper."""
        self._scheduled(run_at)

    def cancelled(self, node: str | None) -> None:
        """Tell the canceller, unless it is another node's job."""
        if node is None or node == self._node:
            self._cancelled()

    def rung(self, what: Ring) -> None:
        """Another process knows something."""
        match what:
            case Ring.WORK:
                self._work()
            case Ring.SCHEDULED:
                self._scheduled(0)  # the promote finds out what is due, and when it has to look again
            case Ring.CANCELLED:
                self._cancelled()


class Wakeups:
    """Several wakeups as one: this process, and the doorbells of others."""

    def __init__(self, *wakeups: Wakeup) -> None:
        self._wakeups = wakeups

    def work(self) -> None:
        """Tell everybody."""
        for wakeup in self._wakeups:
            wakeup.work()

    def scheduled(self, run_at: int) -> None:
        """Tell everybody."""
        for wakeup in self._wakeups:
            wakeup.scheduled(run_at)

    def cancelled(self, node: str | None) -> None:
        """Tell everybody."""
        for wakeup in self._wakeups:
            wakeup.cancelled(node)


def _nobody() -> None:
    """Nobody is there yet, or any more."""


def _nobody_waits(run_at: int) -> None:
    """Nobody is there yet, or any more."""
