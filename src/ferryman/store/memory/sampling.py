"""What charts are made of, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace

from ferryman.domain.series import Kept, Period, Sample, Timing, Which
from ferryman.store.memory.reports import Reports
from ferryman.store.protocol import TOTALS


class Sampling(Reports):
    """Implements `store.sampling.Sampling`."""

    async def sample(self, at: int, node: int, timings: Sequence[Timing]) -> bool:
        """Keep the timings, and what the tallies say if the minute is due."""
        samples = self._tables.samples
        samples.put(node, timings)
        due = samples.is_due(at)
        if due:
            samples.add(at, self._counted(at))
        return due

    def _counted(self, at: int) -> list[Sample]:
        """What the tallies say of every queue and type that there ever was."""
        pending = Counter[tuple[str, str]]()
        for lane, rows in self._tables.ready.items():
            pending[lane.queue, lane.type] += len(rows)
        tally = self._tables.tally
        found = [Sample(queue, type, at, pending=count) for (queue, type), count in pending.items()]
        return [replace(each, **{what: tally[each.queue, each.type, what] for what in TOTALS}) for each in found]

    async def sampled(self, period: Period, which: Which) -> Kept:
        """What there is."""
        return self._tables.samples.within(period, which)
