"""Metrics as Prometheus text, under the names that contract.md promises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ferryman.observe.metrics import BOUNDS, Histogram, Metrics

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS: Final = (*map(str, BOUNDS), "+Inf")


class Gauges(msgspec.Struct, frozen=True):
    """What is so at this moment, in the store and in this node."""

    pending: Mapping[str, int]
    """queue -> pending jobs of all nodes."""
    oldest_pending: Mapping[str, float]
    """queue -> seconds for which its first pending job has been ready to run."""
    in_progress: int
    """Runs in this node."""
    channel_length: int


def render(metrics: Metrics, gauges: Gauges) -> bytes:
    """One scrape's text."""
    registry = CollectorRegistry()
    registry.register(_Scrape(metrics, gauges))
    return generate_latest(registry)


class _Scrape(Collector):
    """A collector for one scrape: there is no registry that outlives it, so two apps in one process never meet."""

    def __init__(self, metrics: Metrics, gauges: Gauges) -> None:
        self._metrics = metrics
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        metrics, gauges = self._metrics, self._gauges
        yield _counter(
            "ferryman_jobs", "Runs that ended, by outcome.", ("outcome", "type", "queue"), metrics.jobs.items()
        )
        yield _counter("ferryman_enqueued", "Jobs accepted.", ("type", "queue"), metrics.enqueued.items())
        yield _gauge("ferryman_jobs_pending", "Pending jobs of all nodes.", gauges.pending)
        yield _gauge("ferryman_oldest_pending_seconds", "Age of the first pending job.", gauges.oldest_pending)
        yield GaugeMetricFamily("ferryman_jobs_in_progress", "Runs in this node.", gauges.in_progress)
        yield _histograms("ferryman_wait_seconds", "From being due to the first start.", metrics.waits)
        yield _histograms("ferryman_run_seconds", "From each start to its end.", metrics.runs)
        yield GaugeMetricFamily("ferryman_channel_length", "Claimed jobs not yet started.", gauges.channel_length)
        yield CounterMetricFamily("ferryman_fenced_writes", "Writes by stale claims, refused.", metrics.fenced_writes)
        yield CounterMetricFamily("ferryman_stale_starts", "Starts refused: claim in doubt.", metrics.stale_starts)
        yield CounterMetricFamily("ferryman_rescued", "Claims of dead nodes, given back.", metrics.rescued)
        yield GaugeMetricFamily("ferryman_loop_lag_seconds", "Worst loop lag of the last minute.", metrics.loop_lag)


def _counter(
    name: str, help: str, labels: Sequence[str], counts: Iterable[tuple[tuple[str, ...], int]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, help, labels=labels)
    for values, count in counts:
        family.add_metric(values, count)
    return family


def _gauge(name: str, help: str, by_queue: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help, labels=["queue"])
    for queue, value in by_queue.items():
        family.add_metric([queue], value)
    return family


def _histograms(name: str, help: str, by_type: Mapping[str, Histogram]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, help, labels=["type"])
    for type_name, histogram in by_type.items():
        buckets = list(zip(_BUCKETS, accumulate(histogram.counts), strict=True))
        family.add_metric([type_name], buckets=buckets, sum_value=histogram.seconds)
    return family
