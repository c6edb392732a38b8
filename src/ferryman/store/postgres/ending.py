"""Ends runs from outside: those that nobody runs any more, or that are to run no longer."""

from __future__ import annotations

from ferryman.domain.outcome import Finish, What
from ferryman.store.postgres import finishing, lanes
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.lanes import Lanes


async def end_open_runs(
    line: Line,
    known: Lanes,
    what: What,
    now: int,
    *,
    batch: int | None = None,
    node: int | None = None,
    asked_before: int | None = None,
) -> int:
    """Give every open run that fits the same outcome, batch by batch. Returns how many were written."""
    runs = await line.do(finishing.open_runs(batch, node, asked_before))
    if any(run.lane not in known.by_number for run in runs):
        await line.do(lanes.read(known))
    by_batch: dict[tuple[int, int], list[Finish]] = {}
    for run in runs:
        end = finishing.ended(run, known.by_number[run.lane], what, now)
        by_batch.setdefault((run.node, run.batch), []).append(end)
    count = 0
    for (owner, _), ends in by_batch.items():
        report = await line.transact(finishing.finish_carefully(known, owner, ends, now))
        count += len(ends) - len(report.fenced)
    return count
