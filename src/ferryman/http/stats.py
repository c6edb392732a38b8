"""GET /stats: what happened in each minute or longer, as charts draw it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.client import Client
from ferryman.domain.access import Right
from ferryman.domain.charts import Series, Stats
from ferryman.domain.job import MICROS
from ferryman.http import query
from ferryman.http.exchange import Answer, Request
from ferryman.http.heads import StatsQuery
from ferryman.http.narrowing import check_queue
from ferryman.http.operation import Operation
from ferryman.http.wire import Moment, write_moment

_JSON: Final = ((b"content-type", b"application/json"),)


class StatsJson(msgspec.Struct, frozen=True):
    """A period in steps; all columns have as many members as `at`."""

    step: int
    """In seconds."""
    at: Sequence[Moment]
    """When each step begins."""
    since: Sequence[Moment | None]
    """When that began which the step counts: earlier than the step where no node lived."""
    series: Sequence[Series]
    left_out: int
    """How many more lines there are."""


class StatsPaths:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def operations(self) -> tuple[Operation, ...]:
        """What can be done at /stats: look."""
        return (
            Operation(
                "GET",
                "/stats",
                Right.READ,
                self.show,
                "Show what happened lately, as points in time",
                {200: StatsJson},
                StatsQuery,
                by_queue=True,
            ),
        )

    async def show(self, request: Request) -> Answer:
        """GET /stats: of the queues that are the caller's business."""
        which, by, start, end, step = query.stats(request)
        if which.queue is not None:
            check_queue(request.caller, which.queue)
        seen = msgspec.structs.replace(which, queues=request.caller.queues)
        return Answer(200, _JSON, stats_json(await self._client.charts.draw(seen, by, start=start, end=end, step=step)))


def stats_json(stats: Stats) -> bytes:
    """Points in time, as they go out."""
    steps = stats.period.edges[:-1]
    told = StatsJson(
        step=stats.period.step // MICROS,
        at=[write_moment(at) for at in steps],
        since=[None if since is None else write_moment(since) for since in stats.since],
        series=stats.series,
        left_out=stats.left_out,
    )
    return msgspec.json.encode(told)
