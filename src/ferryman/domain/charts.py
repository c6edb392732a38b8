"""Lines of points, made of what a store has of a period: see `series`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Final, TypeVar

import msgspec

from ferryman.domain.buckets import Buckets, merged, quantiles
from ferryman.domain.job import MICROS
from ferryman.domain.series import LINES_MOST, By, Kept, Period, Sample, Timing

PARTS: Final = (0.5, 0.95, 0.99)
Numbers = Sequence[int | None]
Number = Callable[[Sample], int]
Line = tuple[str | None, str | None]
Row = TypeVar("Row", Sample, Timing)


class Spread(msgspec.Struct, frozen=True):
    """How long something took in each step: how often it happened, and within how many seconds half of the times lay,
    95 of a hundred, and 99; None where it did not happen."""

    count: Sequence[int]
    p50: Sequence[float | None]
    p95: Sequence[float | None]
    p99: Sequence[float | None]


class Series(msgspec.Struct, frozen=True):
    """One line: its numbers, one for each step; None where no sample was taken in the step."""

    queue: str | None
    """Whose jobs these are; None: of all queues that were asked for."""
    type: str | None
    enqueued: Numbers
    completed: Numbers
    failed: Numbers
    cancelled: Numbers
    retried: Numbers
    rescued: Numbers
    pending: Numbers
    """How many were pending at the end of the step."""
    wait: Spread
    """From being due to the first start."""
    run: Spread
    """From each start to its end."""


class Stats(msgspec.Struct, frozen=True):
    """What happened in a period. Times are in microseconds."""

    period: Period
    since: Sequence[int | None]
    """When the sample before each step was taken: earlier than the step begins where no node lived, and then the step
    has all that happened since. 0: when the store began to take them. None: the step has no sample."""
    series: Sequence[Series]
    """The busiest first; those in which nothing happened, and nothing was pending, are left out."""
    left_out: int
    """How many more there are than are told of."""


def chart(period: Period, kept: Kept, by: By) -> Stats:
    """What a store has of a period, as lines."""
    since = _since(period, kept.moments)
    samples, timings = _by_line(kept.samples, by), _by_line(kept.timings, by)
    lines = samples.keys() | timings.keys()
    found = [_series(period, line, since, samples.get(line, []), timings.get(line, [])) for line in lines]
    busy = sorted((each for each in found if _traffic(each) or any(each.pending)), key=_order)
    if by is By.NONE and not busy:
        busy = [_series(period, (None, None), since, [], [])]
    return Stats(period, since, busy[:LINES_MOST], max(0, len(busy) - LINES_MOST))


def _since(period: Period, moments: Sequence[int]) -> list[int | None]:
    """For each step, the last sample before it; None where there is none in it, or none before it."""
    return [moments[before - 1] if 0 < before < after else None for before, after in pairwise(_places(period, moments))]


def _by_line(rows: Iterable[Row], by: By) -> dict[Line, list[Row]]:
    found: dict[Line, list[Row]] = {}
    for row in rows:
        found.setdefault(by.line_of(row.queue, row.type), []).append(row)
    return found


def _at_edges(period: Period, samples: Iterable[Sample]) -> list[list[Sample]]:
    """What had been counted of each queue and type at each edge of a step, where it had been."""
    groups: dict[tuple[str, str], list[Sample]] = {}
    for each in sorted(samples, key=_at):
        groups.setdefault((each.queue, each.type), []).append(each)
    edges: list[list[Sample]] = [[] for _ in period.edges]
    for group in groups.values():
        for known, place in zip(edges, _places(period, [each.at for each in group]), strict=True):
            known.extend(group[max(0, place - 1) : place])
    return edges


def _places(period: Period, times: Sequence[int]) -> list[int]:
    """How many of these times are up to each edge."""
    return [bisect_right(times, edge) for edge in period.edges]


def _series(
    period: Period,
    line: Line,
    since: Sequence[int | None],
    samples: Sequence[Sample],
    timings: Sequence[Timing],
) -> Series:
    told = [at is not None for at in since]
    edges = _at_edges(period, samples)
    steps = _by_step(period, timings)

    def happened(event: str) -> Numbers:
        return _happened(told, edges, attrgetter(event))

    return Series(
        *line,
        enqueued=happened("created"),
        completed=happened("completed"),
        failed=happened("failed"),
        cancelled=happened("cancelled"),
        retried=happened("retried"),
        rescued=happened("rescued"),
        pending=_standing(told, edges),
        wait=_spread([[each.waits for each in step] for step in steps]),
        run=_spread([[each.runs for each in step] for step in steps]),
    )


def _happened(told: Sequence[bool], edges: Sequence[Sequence[Sample]], number: Number) -> Numbers:
    """How often something happened in each step."""
    sums = [sum(map(number, samples)) for samples in edges]
    return [after - before if known else None for known, (before, after) in zip(told, pairwise(sums), strict=True)]


def _standing(told: Sequence[bool], edges: Sequence[Sequence[Sample]]) -> Numbers:
    """How many were pending at the end of each step."""
    sums = [sum(each.pending for each in samples) for samples in edges[1:]]
    return [count if known else None for known, count in zip(told, sums, strict=True)]


def _by_step(period: Period, timings: Iterable[Timing]) -> list[list[Timing]]:
    """The timings of each step: a minute belongs to the step in which it ends, and an end to what it ends."""
    steps: list[list[Timing]] = [[] for _ in period.edges[1:]]
    for timing in timings:
        steps[bisect_left(period.edges, timing.at) - 1].append(timing)
    return steps


def _spread(steps: Sequence[Sequence[Mapping[int, int]]]) -> Spread:
    all_of: list[Buckets] = [merged(step) for step in steps]
    told = [quantiles(each, PARTS) for each in all_of]
    counts = [sum(each.values()) for each in all_of]
    return Spread(counts, *([_seconds(each[place]) for each in told] for place in range(len(PARTS))))


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / MICROS


def _traffic(series: Series) -> int:
    """How much happened in a line."""
    ended = (series.completed, series.failed, series.cancelled, series.retried, series.rescued)
    return sum(count or 0 for event in (series.enqueued, *ended) for count in event) + sum(series.run.count)


def _order(series: Series) -> tuple[int, str, str]:
    return -_traffic(series), series.queue or "", series.type or ""


def _at(sample: Sample) -> int:
    return sample.at
