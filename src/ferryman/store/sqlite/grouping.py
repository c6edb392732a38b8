"""Error groups, in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.store.grouping import (
    FAILED_MOST,
    ErrorGroup,
    GroupFilter,
    HourSeen,
    Seen,
    first_hour,
    summed,
)
from ferryman.store.protocol import Retention
from ferryman.store.sqlite.sampling import Sampling
from ferryman.store.sqlite.session import Session, encode

_ids_of: Final = msgspec.json.Decoder(list[str])
_seen: Final = msgspec.json.Decoder(list[Seen])
_hours: Final = msgspec.json.Decoder(list[HourSeen])
_failures: Final = msgspec.json.Decoder(list[tuple[str, tuple[int, int]]])


class Grouping(Sampling):
    """Implements `store.grouping.Grouping`."""

    _retention: Retention

    async def error_groups(self, asked: GroupFilter, now: int) -> Sequence[ErrorGroup]:
        """See `Grouping.error_groups`."""
        return await self._read(lambda session: _page(session, asked, now, self._retention))


def _page(session: Session, asked: GroupFilter, now: int, keep: Retention) -> list[ErrorGroup]:
    known = session.lanes().by_number
    numbers = asked.lanes(known)
    lanes = None if numbers is None else encode(numbers).decode()
    ids = _ids(session, asked, lanes) if asked.id is None else [asked.id]
    if not ids:
        return []
    these = {"ids": encode(ids).decode(), "lanes": lanes}
    failures = session.document("group_failures", _failures, **these, failed_before=now - keep.failed, most=FAILED_MOST)
    seen = session.document("seen", _seen, **these)
    hours = session.document("seen_hours", _hours, **these, since=first_hour(now))
    return summed(ids, seen, hours, dict(failures), known, now)


def _ids(session: Session, asked: GroupFilter, lanes: str | None) -> list[str]:
    """The ids of the groups of a page."""
    last_at, last_id = asked.last
    start, limit = asked.start or 0, asked.limit
    return session.document(
        "group_page", _ids_of, last_at=last_at, last_id=last_id, start=start, lanes=lanes, limit=limit
    )
