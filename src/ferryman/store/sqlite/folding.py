"""What charts are made of grows old: hours stand for minutes, then nothing for hours."""

from __future__ import annotations

from typing import Final

import msgspec

from ferryman.domain.series import HOUR, HOURS_KEPT, hour_of, minutes_until
from ferryman.store.sampling import FOLDED, TimingRow, folded, row_of, timing_of
from ferryman.store.sqlite.session import Session, encode

_moments: Final = msgspec.json.Decoder(list[int])
_timings: Final = msgspec.json.Decoder(list[TimingRow])


MOMENTS: Final = 120
"""How many moments are dropped at one go, with the samples of every queue and type."""


class Folder:
    """Has hours stand for minutes that are old, a bounded stretch at a time; forgets hours that are."""

    def __init__(self) -> None:
        self._until = 0

    def step(self, session: Session, now: int) -> None:
        """Look only when another hour is due, or there was more than that to do."""
        until = minutes_until(now)
        if until <= self._until:
            return
        moments = session.document("stale_moments", _moments, until=until, limit=MOMENTS)
        text = encode(moments).decode()
        session.run("thin_samples", moments=text)
        session.run("drop_moments", moments=text)
        if not _fold(session, until) and len(moments) < MOMENTS:
            self._until = until
        for name in ("prune_samples", "prune_moments", "prune_timings"):
            session.run(name, before=now - HOURS_KEPT)


def _fold(session: Session, until: int) -> bool:
    """Fold the timings of one hour; False: there is none."""
    first = session.one("first_minute", until=until)
    if first is None:
        return False
    end = hour_of(first[0])
    hour = {"start": end - HOUR, "end": end}
    rows = session.document("timings", _timings, **hour, queue=None, type=None, queues=None)
    session.run("drop_timings", **hour)
    session.insert("put_timings", [(*row_of(each), FOLDED) for each in folded(map(timing_of, rows))])
    return True
