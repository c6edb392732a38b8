"""What runs say of themselves: written beside their outcomes, fenced by the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.domain.report import Line, LogLine, Logs, Progress, ProgressOf, Report
from ferryman.store.reporting import Runs, kept
from ferryman.store.sqlite.session import Session, encode
from ferryman.store.sqlite.steering import Steering

_batches: Final = msgspec.json.Decoder(frozenset[int])
_tokens: Final = msgspec.json.Decoder(list[tuple[str, int, int, str]])
_told: Final = msgspec.json.Decoder(Progress)
_lines: Final = msgspec.json.Decoder(list[tuple[int, int, int, int, str, str, str]])
_BEFORE_ALL: Final = (-1, -1)


class Reports(Steering):
    """Implements `Reporting`."""

    async def report(self, node: int, reports: Sequence[Report]) -> Runs:
        """See `Reporting.report`."""
        return await self._write(lambda session: write(session, node, reports))

    async def progress(self, id: str) -> ProgressOf | None:
        """See `Reporting.progress`."""
        row = await self._read(lambda session: session.one("progress", id=id))
        return None if row is None else ProgressOf(row[0], _told.decode(row[1]))

    async def logs(
        self, id: str, claim: int | None = None, after: tuple[int, int] | None = None, limit: int = 1000
    ) -> Logs:
        """See `Reporting.logs`."""
        return await self._read(lambda session: _logs(session, id, claim, after or _BEFORE_ALL, limit))


def write(session: Session, node: int, reports: Sequence[Report]) -> Runs:
    """Write what is not fenced; gives the runs that are."""
    batches = encode(sorted({each.batch for each in reports})).decode()
    runs = encode([(each.id, each.number) for each in reports]).decode()
    live = session.document("live_batches", _batches, node=node, batches=batches)
    tokens = {(id, number): token for id, number, token, _ in session.document("known_outcomes", _tokens, runs=runs)}
    own, fenced = kept(reports, live, tokens)
    session.insert("put_progress", [_row(each) for each in own if each.progress is not None or each.dropped])
    session.insert("add_log", [row for each in own for row in _log_rows(each)])
    return fenced


def _row(report: Report) -> tuple[object, ...]:
    told = None if report.progress is None else encode(report.progress).decode()
    return report.id, report.number, told, report.dropped


def _log_rows(report: Report) -> list[tuple[object, ...]]:
    return [
        (report.id, report.number, place, report.attempt, line.at, line.level, line.logger, line.message)
        for place, line in enumerate(report.lines, report.first)
    ]


def _logs(session: Session, id: str, claim: int | None, after: tuple[int, int], limit: int) -> Logs:
    rows = session.document("log_page", _lines, id=id, claim=claim, number=after[0], place=after[1], limit=limit)
    dropped = session.one("log_dropped", id=id, claim=claim)
    assert dropped is not None
    return Logs([LogLine(*row[:3], Line(*row[3:])) for row in rows], dropped[0])
