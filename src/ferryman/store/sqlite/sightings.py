"""What failed attempts leave in a file, besides their outcomes: their errors, and sightings of their error groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.domain.outcome import Finish
from ferryman.store.grouping import FOLDED, KEPT, about, folds_before, sightings
from ferryman.store.sqlite.session import Session, encode

_old: Final = msgspec.json.Decoder(list[tuple[int, tuple[str, int, int, str, int, int, int, str, str]]])


def note_failures(session: Session, node: int, finishes: Sequence[Finish]) -> None:
    """Write the errors of runs that have one, and count the failed attempts among them."""
    session.insert("add_failures", [_row(each) for each in finishes])
    found = sightings(finishes)
    if found:
        (version,) = session.one("node_version", node=node) or ("",)
        rows = [
            (each.group.id, each.hour, session.lane(*each.lane), version, *each.counts, each.job, about(each.group))
            for each in found
        ]
        session.insert("add_sightings", rows)


def forget(session: Session, now: int, limit: int) -> None:
    """Have some old hours become parts of their days, and forget what is kept no longer."""
    rows = session.document("old_sightings", _old, before=folds_before(now), limit=FOLDED)
    if rows:
        session.insert("add_sightings", [row for _, row in rows])
        session.run("drop_sightings", rows=encode([number for number, _ in rows]).decode())
    session.run("prune_sightings", before=now - KEPT, limit=limit)


def _row(finish: Finish) -> tuple[object, ...]:
    group = None if finish.group is None else finish.group.id
    return finish.id, finish.number, encode(finish.error).decode(), group, finish.status.value
