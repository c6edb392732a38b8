"""Our design as a contender, through the verbs that the engine uses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from benchmarks.postgres.contender import Fate
from benchmarks.postgres.stores import StoreNode
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import What
from ferryman.domain.state import TERMINAL

WHATS: Final[Mapping[Fate, What]] = MappingProxyType(
    {Fate.DONE: What.DONE, Fate.RETRIED: What.FAILED, Fate.SNOOZED: What.SNOOZED}
)
PROMOTED = 1000
"""How many jobs one promote takes at most."""


class Stored:
    """Implements `Contender`; a job is what the store gave."""

    def __init__(self, url: str) -> None:
        self.node = StoreNode(url)

    async def open(self) -> None:
        """Connect and register."""
        await self.node.open()

    async def close(self) -> None:
        """Disconnect."""
        await self.node.close()

    async def insert(self, count: int) -> None:
        """Hand jobs in."""
        await self.node.insert(count)

    async def claim(self, limit: int) -> Sequence[ClaimedJob]:
        """Take pending jobs."""
        return (await self.node.claim(limit)).jobs

    async def finish(self, runs: Sequence[tuple[ClaimedJob, Fate]]) -> int:
        """Write what runs ended in; a retry ends a job whose attempts are spent."""
        finishes = [self.node.ended(job, WHATS[fate], fate.value or None) for job, fate in runs]
        await self.node.write(finishes)
        return sum(finish.status in TERMINAL for finish in finishes)

    async def promote(self) -> None:
        """Make due jobs pending."""
        await self.node.store.promote(self.node.now, PROMOTED)

    async def beat(self) -> None:
        """Renew the claims, off the loop as the engine does."""
        if not await asyncio.to_thread(self.node.beat):
            raise RuntimeError("The node was rescued, and nobody rescues here.")
