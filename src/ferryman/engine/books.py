"""Which claims a node has open. Whoever claims and whoever finishes write it down; reconciling asks."""

from __future__ import annotations

from collections.abc import Iterable

from ferryman.domain.claim import Batch, Care, care
from ferryman.domain.outcome import Finish


class Books:
    """Open batches, how many runs of each still lack an outcome, and who among them must be alone."""

    def __init__(self) -> None:
        self.in_flight: int | None = None
        """The batch of the claim or offer under way; the store may have it already."""
        self._open: dict[int, int] = {}
        self._alone: set[tuple[str, int]] = set()

    @property
    def alone(self) -> bool:
        """Whether a run is open that must be the only one of its kind."""
        return bool(self._alone)

    def knows(self, batch: int) -> bool:
        """Whether a batch that the store has is this node's business still."""
        return batch in self._open or batch == self.in_flight

    def opened(self, batch: Batch) -> None:
        """A claim has arrived."""
        if batch.jobs:
            self._open[batch.id] = len(batch.jobs)
        for job in batch.jobs:
            if job.crashes and care(job.attempt - 1, job.max_attempts, job.crashes) is Care.ALONE:
                self._alone.add((job.id, job.number))

    def ended(self, finishes: Iterable[Finish]) -> None:
        """These runs have their outcomes in the store."""
        batches = self._open
        for finish in finishes:
            left = batches.get(finish.batch, 0) - 1
            if left > 0:
                batches[finish.batch] = left
            else:
                batches.pop(finish.batch, None)
            if self._alone:
                self._alone.discard((finish.id, finish.number))
