"""How many runs of each open batch have ended, so that the finish which writes the last one closes the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from ferryman.domain.outcome import Finish


class EndedRuns:
    """Counts what this process has written.

    It may know of too few, never of too many: then `close_batches` finds the batch some seconds later.
    """

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def counting(self, finishes: Sequence[Finish]) -> dict[int, int]:
        """The batches of these runs in order, and how many runs of each will have ended with them."""
        own = Counter([each.batch for each in finishes])
        return {batch: self._counts[batch] + own[batch] for batch in sorted(own)}

    def written(self, ended: dict[int, int], live: Iterable[int], closed: Iterable[int]) -> None:
        """The finish has committed for these batches."""
        for batch in live:
            self._counts[batch] = ended[batch]
        for batch in closed:
            del self._counts[batch]

    def keep(self, open: Collection[int]) -> None:
        """Forget all batches but these."""
        for batch in self._counts.keys() - open:
            del self._counts[batch]
