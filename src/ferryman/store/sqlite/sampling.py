"""What charts are made of, in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.domain.series import Kept, Period, Sample, Timing, Which
from ferryman.store.sampling import TimingRow, row_of, timing_of
from ferryman.store.sqlite.reports import Reports
from ferryman.store.sqlite.session import Session, encode

_moments: Final = msgspec.json.Decoder(list[int])
_samples: Final = msgspec.json.Decoder(list[Sample])
_timings: Final = msgspec.json.Decoder(list[TimingRow])


class Sampling(Reports):
    """Implements `store.sampling.Sampling`."""

    async def sample(self, at: int, node: int, timings: Sequence[Timing]) -> bool:
        """See `Sampling.sample`."""
        return await self._write(lambda session: _sample(session, at, node, timings))

    async def sampled(self, period: Period, which: Which) -> Kept:
        """See `Sampling.sampled`."""
        return await self._read(lambda session: _kept(session, period, which))


def _sample(session: Session, at: int, node: int, timings: Sequence[Timing]) -> bool:
    session.insert("put_timings", [(*row_of(each), node) for each in timings])
    if session.run("add_moment", at=at) == 0:
        return False
    session.run("add_samples", at=at)
    return True


def _kept(session: Session, period: Period, which: Which) -> Kept:
    ends = {"start": period.start, "end": period.end}
    queues = None if which.queues is None else encode(sorted(which.queues)).decode()
    jobs = {"queue": which.queue, "type": which.type, "queues": queues}
    moments = session.document("moments", _moments, **ends, step=period.step)
    samples = session.document("samples", _samples, **ends, step=period.step, **jobs)
    return Kept(
        moments,
        samples,
        [timing_of(row) for row in session.document("timings", _timings, **ends, **jobs)],
    )
