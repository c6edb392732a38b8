"""Error groups, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ferryman.domain.job import Lane
from ferryman.domain.state import Status
from ferryman.store.grouping import FAILED_MOST, ErrorGroup, GroupFilter
from ferryman.store.memory.rows import JobRow
from ferryman.store.memory.sampling import Sampling


class Grouping(Sampling):
    """Implements `store.grouping.Grouping`."""

    async def error_groups(self, asked: GroupFilter, now: int) -> Sequence[ErrorGroup]:
        """Look at all that was seen, and at all jobs."""
        known = await self.lanes()
        numbers = asked.lanes(known)
        lanes = known.values() if numbers is None else [known[number] for number in numbers]
        ids = self._tables.sightings.page(asked, known)
        failures = {id: self._failures(id, lanes, now) for id in ids}
        return self._tables.sightings.told(ids, asked, known, failures, now)

    def _failures(self, group: str, lanes: Collection[Lane], now: int) -> tuple[int, int]:
        """How many of the newest failures were looked at that ended their jobs, and how many jobs stand failed so."""
        rows = sorted(self._tables.jobs.values(), key=lambda row: row.job.id, reverse=True)
        found = [(row, number) for row in rows for number in _ended_by(row, group)]
        looked_at = found[:FAILED_MOST]
        standing = sum(
            row.number == number and row.job.lane in lanes and not row.hidden(now, self._retention)
            for row, number in looked_at
        )
        return len(looked_at), standing


def _ended_by(row: JobRow, group: str) -> list[int]:
    """The claim numbers of the runs by whose errors of a group a job ended failed."""
    return [
        number
        for number, outcome in row.outcomes.items()
        if outcome.attempt.status is Status.FAILED
        and outcome.attempt.error is not None
        and outcome.attempt.error.group == group
    ]
