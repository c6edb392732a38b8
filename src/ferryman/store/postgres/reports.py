"""What runs say of themselves: written beside their outcomes, fenced by the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.domain.report import Line, LogLine, Logs, Progress, ProgressOf, Report
from ferryman.store.postgres.columns import numbers
from ferryman.store.postgres.ids import is_id
from ferryman.store.postgres.steering import Steering
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.reporting import Runs, kept

_encode: Final = msgspec.json.Encoder().encode
_told: Final = msgspec.json.Decoder(Progress)
_BEFORE_ALL: Final = (-1, -1)


class Reports(Steering):
    """Implements `Reporting`."""

    async def report(self, node: int, reports: Sequence[Report]) -> Runs:
        """See `Reporting.report`. Over the line of the finishes, which come after what their runs have said."""
        return await self._lines.finishes.transact(write(node, reports))

    async def progress(self, id: str) -> ProgressOf | None:
        """See `Reporting.progress`."""
        return await self._people.do(_progress(id)) if is_id(id) else None

    async def logs(
        self, id: str, claim: int | None = None, after: tuple[int, int] | None = None, limit: int = 1000
    ) -> Logs:
        """See `Reporting.logs`."""
        return await self._people.read(_logs(id, claim, after or _BEFORE_ALL, limit)) if is_id(id) else Logs([])


def write(node: int, reports: Sequence[Report]) -> Steps[Runs]:
    """Write what is not fenced; gives the runs that are. To be driven in a transaction.

    The outcomes are looked at in a statement of its own: by then nobody else can end a run of these batches.
    """
    live = {row[0] for row in (yield Ask("hold_batches", (node, sorted({each.batch for each in reports}))))}
    rows = yield Ask("known_outcomes", ([each.id for each in reports], [each.number for each in reports]))
    own, fenced = kept(reports, live, {(row[0], row[1]): row[2] for row in rows})
    told = [each for each in own if each.progress is not None or each.dropped]
    if told:
        yield Ask("put_progress", _progress_columns(told))
    lines = [(each, place, line) for each in own for place, line in enumerate(each.lines, each.first)]
    if lines:
        yield Ask("add_log", _log_columns(lines))
    return fenced


def _progress_columns(reports: Sequence[Report]) -> tuple[object, ...]:
    return (
        [each.id for each in reports],
        numbers([each.number for each in reports]),
        [None if each.progress is None else _encode(each.progress).decode() for each in reports],
        numbers([each.dropped for each in reports]),
    )


def _log_columns(lines: Sequence[tuple[Report, int, Line]]) -> tuple[object, ...]:
    return (
        [report.id for report, _, _ in lines],
        numbers([report.number for report, _, _ in lines]),
        numbers([place for _, place, _ in lines]),
        numbers([report.attempt for report, _, _ in lines]),
        numbers([line.at for _, _, line in lines]),
        [line.level for _, _, line in lines],
        [line.logger for _, _, line in lines],
        [line.message for _, _, line in lines],
    )


def _progress(id: str) -> Steps[ProgressOf | None]:
    rows = yield Ask("progress", (id,))
    return ProgressOf(rows[0][0], _told.decode(rows[0][1])) if rows else None


def _logs(id: str, claim: int | None, after: tuple[int, int], limit: int) -> Steps[Logs]:
    rows = yield Ask("log_page", (id, claim, *after, limit))
    ((dropped,),) = yield Ask("log_dropped", (id, claim))
    return Logs([LogLine(number, attempt, place, Line(*line)) for number, attempt, place, *line in rows], dropped)
