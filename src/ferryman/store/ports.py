"""What stores and clients need of others: who wakes whom, the time, a place for steps that block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from ferryman.domain.claim import Batch, ClaimRequest

T = TypeVar("T")


class Wakeup(Protocol):
    """Says "there may be work" to whoever should look."""

    def work(self) -> None:
        """Some job may be pending."""

    def scheduled(self, run_at: int) -> None:
        """Some job is due at `run_at`."""

    def cancelled(self, node: str | None) -> None:
        """A running job of `node` was asked to end."""


class DirectDispatch(Protocol):
    """Lets an insert claim for the idle workers of its own node, in the same commit."""

    def offer(self) -> ClaimRequest | None:
        """A claim to ride along with an insert, or None; whoever gets one owes a `settle`."""
        ...

    def settle(self, request: ClaimRequest, batch: Batch | None) -> None:
        """Hand over what the claim gave; None when the insert failed and the claim's fate is unknown."""


class Clock(Protocol):
    """The two times: one for people, one that never jumps."""

    def now(self) -> int:
        """The store's time, in microseconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...


class Runner(Protocol):
    """Runs blocking steps off the event loop: a thread in production, inline in the simulation."""

    async def run(self, step: Callable[[], T]) -> T:
        """Run one step and give its result. Steps of one runner never overlap."""
        ...

    async def close(self) -> None:
        """Wait for the step under way and end."""
