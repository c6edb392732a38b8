"""What a node says of itself: /health, /livez, /readyz and /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal, Protocol

import msgspec

from ferryman.client import Client
from ferryman.domain.access import Right
from ferryman.domain.job import MICROS
from ferryman.domain.state import Status
from ferryman.http.exchange import Answer, Request
from ferryman.http.operation import JSON, TEXT, Operation
from ferryman.http.resource import chosen
from ferryman.observe import exposition
from ferryman.observe.metrics import Metrics
from ferryman.store.protocol import Counts

COUNTS_AGE: Final = 1.0
"""Seconds for which Prometheus is shown the same counts: many scrapers cost the store one read a second."""

_JSON: Final = ((b"content-type", b"application/json"),)
_TEXT: Final = ((b"content-type", exposition.CONTENT_TYPE.encode()),)
_OK: Final = b'{"status":"ok"}'


class NodeStats(Protocol):
    """What the node's engine tells about this moment."""

    @property
    def channel_length(self) -> int:
        """Jobs that are claimed and wait for a worker."""
        ...

    @property
    def channel_capacity(self) -> int:
        """How many the channel holds."""
        ...

    @property
    def workers(self) -> int:
        """How many jobs can run at once."""
        ...

    @property
    def in_progress(self) -> int:
        """How many run now."""
        ...


class HealthJson(msgspec.Struct, frozen=True):
    """All is well."""

    status: Literal["ok"]


class NotReadyJson(msgspec.Struct, frozen=True):
    """What is not ready, and for each why, in a line."""

    status: str
    not_ready: list[str]
    why: Mapping[str, str]


class CountersJson(msgspec.Struct, frozen=True):
    """The counters of the base contract."""

    jobs_created: int
    jobs_completed: int
    jobs_failed: int
    jobs_cancelled: int
    jobs_retried: int
    jobs_rescued: int
    jobs_pending: int
    jobs_scheduled: int
    jobs_in_progress: int
    fenced_writes: int
    workers: int
    queue_capacity: int
    queue_length: int


class NodeRoutes:
    """One method per route."""

    def __init__(
        self,
        client: Client,
        stats: NodeStats,
        metrics: Metrics,
        readiness: Callable[[], Awaitable[Mapping[str, str]]],
        monotonic: Callable[[], float],
    ) -> None:
        self._client = client
        self._stats = stats
        self._metrics = metrics
        self._readiness = readiness
        self._monotonic = monotonic
        self._counts: asyncio.Future[Counts] | None = None
        self._counted_at = 0.0

    def operations(self) -> tuple[Operation, ...]:
        """Everything that a node says of itself."""
        well = {200: HealthJson}
        return (
            Operation("GET", "/health", None, self.health, "Say that the process answers", well),
            Operation("GET", "/livez", None, self.health, "Say that the process answers", well),
            Operation("GET", "/readyz", None, self.readyz, "Say what is not ready", {**well, 503: NotReadyJson}),
            Operation(
                "GET",
                "/metrics",
                Right.READ,
                self.metrics,
                "Show what was counted",
                {200: CountersJson},
                offers=(TEXT, JSON),
            ),
        )

    async def health(self, request: Request) -> Answer:
        """GET /health, /livez: the process answers; touches no store. While stopping the boundary says so."""
        return Answer(200, _JSON, _OK)

    async def readyz(self, request: Request) -> Answer:
        """GET /readyz: 503 with the names of what is not ready, and why, a line each."""
        missing = await self._readiness()
        if not missing:
            return Answer(200, _JSON, _OK)
        return Answer(503, _JSON, msgspec.json.encode(NotReadyJson("not ready", list(missing), missing)))

    async def metrics(self, request: Request) -> Answer:
        """GET /metrics: Prometheus text, or the counters as JSON for those who ask for it."""
        if chosen(request, (TEXT, JSON)) == JSON:
            return Answer(200, _JSON, msgspec.json.encode(self._counters(await self._client.counts())))
        return Answer(200, _TEXT, exposition.render(self._metrics, self._gauges(await self._recent_counts())))

    def _counters(self, counts: Counts) -> CountersJson:
        totals = counts.totals
        return CountersJson(
            jobs_created=totals["created"],
            jobs_completed=totals["completed"],
            jobs_failed=totals["failed"],
            jobs_cancelled=totals["cancelled"],
            jobs_retried=totals["retried"],
            jobs_rescued=totals["rescued"],
            jobs_pending=_standing(counts, Status.PENDING),
            jobs_scheduled=_standing(counts, Status.SCHEDULED),
            jobs_in_progress=_standing(counts, Status.PROCESSING),
            fenced_writes=self._metrics.fenced_writes,
            workers=self._stats.workers,
            queue_capacity=self._stats.channel_capacity,
            queue_length=self._stats.channel_length,
        )

    def _gauges(self, counts: Counts) -> exposition.Gauges:
        return exposition.Gauges(
            pending={queue: count for (queue, status), count in counts.standing.items() if status is Status.PENDING},
            oldest_pending={queue: micros / MICROS for queue, micros in counts.oldest_pending.items()},
            in_progress=self._stats.in_progress,
            channel_length=self._stats.channel_length,
        )

    async def _recent_counts(self) -> Counts:
        """Counts not older than COUNTS_AGE; scrapes at the same time share one read."""
        now = self._monotonic()
        if self._counts is None or now - self._counted_at >= COUNTS_AGE or _failed(self._counts):
            self._counts = asyncio.ensure_future(self._client.counts())
            self._counted_at = now
        return await asyncio.shield(self._counts)


def _standing(counts: Counts, status: Status) -> int:
    return sum(count for (_, each), count in counts.standing.items() if each is status)


def _failed(counts: asyncio.Future[Counts]) -> bool:
    return counts.done() and (counts.cancelled() or counts.exception() is not None)
