"""What charts are made of, in a database."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.domain.series import Kept, Period, Sample, Timing, Which
from ferryman.store.postgres.folding import put
from ferryman.store.postgres.reports import Reports
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.sampling import timing_of


class Sampling(Reports):
    """Implements `store.sampling.Sampling`."""

    async def sample(self, at: int, node: int, timings: Sequence[Timing]) -> bool:
        """See `Sampling.sample`."""
        return await self._chores.transact(_sample(at, node, timings))

    async def sampled(self, period: Period, which: Which) -> Kept:
        """See `Sampling.sampled`."""
        return await self._people.read(_kept(period, which))


def _sample(at: int, node: int, timings: Sequence[Timing]) -> Steps[bool]:
    yield from put(node, timings)
    yield Ask("lock_moments")  # alone, so that what comes after it sees what the one before has written
    if not (yield Ask("add_moment", (at,))):
        return False
    yield Ask("add_samples", (at,))
    return True


def _kept(period: Period, which: Which) -> Steps[Kept]:
    steps = (period.start, period.end, period.step)
    jobs = (which.queue, which.type, None if which.queues is None else sorted(which.queues))
    moments = [row[0] for row in (yield Ask("moments", steps))]
    samples = [Sample(*row) for row in (yield Ask("samples", (*steps, *jobs)))]
    rows = yield Ask("timings", (period.start, period.end, *jobs))
    return Kept(moments, samples, [timing_of(row) for row in rows])
