"""What runs have said of themselves, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from ferryman.domain.report import LogLine, Logs, ProgressOf, Report
from ferryman.store.memory.people import People
from ferryman.store.memory.rows import SaidRow
from ferryman.store.reporting import Runs


class Reports(People):
    """Implements `Reporting`."""

    async def report(self, node: int, reports: Sequence[Report]) -> Runs:
        """Write what comes from runs that are open, or that this very run has ended."""
        return frozenset((each.id, each.number) for each in reports if not self._report(node, each))

    def _report(self, node: int, report: Report) -> bool:
        row = self._tables.jobs.get(report.id)
        if row is None:
            return False
        ended = row.outcomes.get(report.number)
        if ended is not None:
            own = report.token == ended.token != 0
        else:
            own = row.claim is not None and row.claim.node.number == node and row.number == report.number
        if own:
            row.said.setdefault(report.number, SaidRow()).add(report)
        return own

    async def progress(self, id: str) -> ProgressOf | None:
        """The last one of the largest claim number that has any."""
        row = self._tables.jobs.get(id)
        told = {} if row is None else {number: said.progress for number, said in row.said.items() if said.progress}
        return ProgressOf(max(told), told[max(told)]) if told else None

    async def logs(
        self, id: str, claim: int | None = None, after: tuple[int, int] | None = None, limit: int = 1000
    ) -> Logs:
        """Lines by (claim number, place)."""
        row = self._tables.jobs.get(id)
        said = {} if row is None else {n: each for n, each in sorted(row.said.items()) if claim in (None, n)}
        lines = (
            LogLine(number, each.attempt, place, line)
            for number, each in said.items()
            for place, line in sorted(each.lines.items())
            if after is None or (number, place) > after
        )
        return Logs(list(islice(lines, limit)), sum(each.dropped for each in said.values()))
