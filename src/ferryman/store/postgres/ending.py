"""Ends runs from outside: those that nobody runs any more, or that are to run no longer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ferryman.domain.outcome import Finish, What
from ferryman.store.postgres import finishing, lanes
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.gating import Gates
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.protocol import Declaration

NOTHING_DECLARED: Final[Mapping[str, Declaration]] = MappingProxyType({})


async def end_open_runs(
    line: Line,
    known: Lanes,
    gates: Gates,
    what: What,
    now: int,
    *,
    batch: int | None = None,
    node: int | None = None,
    asked_before: int | None = None,
    declared: Mapping[str, Declaration] = NOTHING_DECLARED,
) -> int:
    """Give every open run that fits the same outcome, batch by batch. Returns how many were written.

    `declared` is what types declare, for those who end the runs of a dead node.
    """
    runs = await line.do(finishing.open_runs(batch, node, asked_before))
    if any(run.lane not in known.by_number for run in runs):
        await line.do(lanes.read(known))
    by_batch: dict[tuple[int, int], list[Finish]] = {}
    for run in runs:
        lane = known.by_number[run.lane]
        end = finishing.ended(run, lane, what, now, declared.get(lane.type))
        by_batch.setdefault((run.node, run.batch), []).append(end)
    missing = known.missing(finishing.targets(end for ends in by_batch.values() for end in ends))
    if missing:
        await line.do(lanes.make(known, missing))
    count = 0
    for (owner, _), ends in by_batch.items():
        report = await line.transact(finishing.finish_carefully(known, owner, ends, now))
        count += len(ends) - len(report.fenced)
    await gates.made_room({run.key for run in runs if run.key is not None}, now, over=line)
    return count
