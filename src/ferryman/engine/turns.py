"""Whose turn it is: mostly the lowest priority number's, now and then that of the job that has waited longest.

Of each `factor + 1` jobs that a node claims one goes by age alone. So a job with n older ones before it is claimed once
the nodes have claimed (factor + 1) x (n + 1) jobs, however many come in with lower numbers: nothing waits longer than
factor + 1 times as long as it would where there are no priorities.
"""

from __future__ import annotations

from ferryman.domain.claim import Batch, ClaimRequest


class Turns:
    """Counts what was claimed by priority, and says how many jobs are owed to age."""

    def __init__(self, factor: int) -> None:
        """`factor` 0: priorities alone count."""
        self._factor = factor
        self._count = 0

    @property
    def owed(self) -> int:
        """How many jobs are to be claimed by age next."""
        return self._count // self._factor if self._factor else 0

    def claimed(self, request: ClaimRequest, batch: Batch) -> None:
        """A claim gave a batch. Where all lanes have one priority, its order is that of age already."""
        if not batch.mixed:
            self._count = 0
        elif request.by_age:
            # who finds fewer than are owed has found all there are
            self._count -= request.limit * self._factor
        else:
            self._count += len(batch.jobs)
