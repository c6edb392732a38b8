"""The sightings of error groups in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ferryman.domain.job import Lane
from ferryman.domain.outcome import Finish
from ferryman.store.grouping import (
    KEPT,
    ErrorGroup,
    Failures,
    GroupFilter,
    Seen,
    Sighting,
    about,
    sightings,
    summed,
)

Key = tuple[str, int, tuple[str, str, int], str]
"""group, beginning of the hour, lane, version"""


class Sightings:
    """All rows."""

    def __init__(self) -> None:
        self._rows: dict[Key, Sighting] = {}

    def add(self, finish: Finish, version: str) -> None:
        """Count a run that a node of this version has ended, if it failed."""
        for new in sightings([finish]):
            key = (new.group.id, new.hour, new.lane, version)
            was = self._rows.get(key)
            self._rows[key] = new if was is None else was.with_later(new)

    def page(self, asked: GroupFilter, lanes: Mapping[int, Lane]) -> list[str]:
        """The ids of the groups that are asked for."""
        if asked.id is not None:
            return [asked.id]
        last: dict[str, int] = {}
        for _, row in self._of(asked, lanes):
            last[row.id] = max(row.last_at, last.get(row.id, 0))
        line = sorted(((at, id) for id, at in last.items()), reverse=True)
        return [id for at, id in line if (at, id) < asked.last and at >= (asked.start or 0)][: asked.limit]

    def told(
        self, ids: Sequence[str], asked: GroupFilter, lanes: Mapping[int, Lane], failures: Failures, now: int
    ) -> list[ErrorGroup]:
        """What is known of these groups."""
        rows = [(hour, row) for hour, row in self._of(asked, lanes) if row.id in ids]
        hours = [(row.id, hour, row.count) for hour, row in rows]
        return summed(ids, [row for _, row in rows], hours, failures, lanes, now)

    def prune(self, now: int) -> None:
        """Forget what is kept no longer. Hours need not become parts of days: they go with the process."""
        self._rows = {key: row for key, row in self._rows.items() if row.last_at > now - KEPT}

    def _of(self, asked: GroupFilter, lanes: Mapping[int, Lane]) -> Iterator[tuple[int, Seen]]:
        """The rows of the lanes that count, with the beginnings of their hours."""
        numbers = {(lane.queue, lane.type, lane.priority): number for number, lane in lanes.items()}
        wanted = asked.lanes(lanes)
        for (id, hour, lane, version), row in self._rows.items():
            if wanted is None or numbers[lane] in wanted:
                yield hour, Seen(id, numbers[lane], version, *row.counts, row.job, about(row.group))
