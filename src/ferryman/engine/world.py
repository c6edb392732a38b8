"""What a node is told, and what it lives in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ferryman.domain.events import Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import NewJob
from ferryman.engine.registry import Registry, no_follow_ups
from ferryman.engine.runner import ThreadTicker, TickerFactory
from ferryman.engine.steps import StepsFactory, ThreadSteps
from ferryman.store.protocol import Clock, Store, Wakeup
from ferryman.store.transactions import ManyTransactions, Transactions


def _never() -> int:
    return 0


def _unknown() -> int | None:
    return None


class NodeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a node can be told. Times are in seconds, sizes in bytes."""

    workers: int = 10
    capacity: int = 100
    """Jobs that the channel buffers."""
    queues: tuple[tuple[str, int | None], ...] | None = None
    """(queue, share of the workers or None for all of them); None serves every queue."""
    priority_factor: int = 100
    """Of how many jobs and one more, one goes by age instead of priority; 0 is none."""
    lease: float = 10.0
    beat: float = 2.0
    stop_deadline: float = 25.0
    grace: float = 5.0
    """How long a handler has to end once it was cancelled, before that is tried again or it is given up."""
    last_grace: float = 2.0
    """The same, once the stop deadline has passed."""
    default_timeout: float = 3600.0
    loop_stall: float = 60.0
    max_result: int = 1024 * 1024
    process_max_jobs: int = 1000
    """Runs after which a worker process is replaced; 0 is never."""
    process_max_rss: int = 0
    """Resident memory after which it is; 0 is never."""
    transaction_timeout: float = 2.0
    """How long a handler's transaction may last."""
    log_capture: int | None = None
    """The lowest level of the lines that runs log to be kept, as logging counts them; None keeps none."""


class World(msgspec.Struct, frozen=True):
    """What a node lives in; the same for all its lives."""

    store: Store
    registry: Registry
    clock: Clock
    ids: IdMinter
    events: Events
    wakeup: Wakeup
    """Told what the node's runs made possible."""
    encode: Callable[[Any], str]
    """A result as JSON text; raises what says why there is none."""
    share: Callable[[], float]
    """Random in [0, 1), for the backoff."""
    ticker: TickerFactory = ThreadTicker
    """Makes what beats and watches beside the event loop."""
    settings: Mapping[str, str] = {}
    """Of the node's client, as text by field, for what handlers in worker processes enqueue."""
    oom_kills: Callable[[], int] = _never
    """How often the kernel has killed for want of memory."""
    rss: Callable[[], int | None] = _unknown
    """Bytes of memory in which this process resides; None where the system does not say."""
    admit: Callable[[Any], NewJob] = no_follow_ups
    """The job for a request that a handler makes, from any thread; raises EnqueueError."""
    transactions: Transactions | None = None
    """How handlers write beside their jobs, where the store lets them one at a time."""
    many_transactions: ManyTransactions | None = None
    """The same, where it lets many of them."""
    steps: StepsFactory = ThreadSteps
    """Makes what runs their transactions beside the event loop."""
