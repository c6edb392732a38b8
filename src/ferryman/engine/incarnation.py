"""One life of a node: from its registration in the store until it retires or is found dead.

A node that was lost does not go on with old parts: it gets a new id, and with it new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ferryman.domain.events import Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import ClaimedJob
from ferryman.engine.channel import Channel
from ferryman.engine.completer import Completer
from ferryman.engine.deadlines import Deadlines
from ferryman.engine.dispatcher import Dispatcher
from ferryman.engine.executor import Executor
from ferryman.engine.heartbeat import Heartbeat, Lease
from ferryman.engine.pool import Pool
from ferryman.engine.registry import Registry
from ferryman.engine.runner import ThreadTicker, TickerFactory
from ferryman.engine.running import Ladder, Reason
from ferryman.engine.shares import Shares
from ferryman.engine.startlist import Part, StartList
from ferryman.engine.sweeper import Sweeper
from ferryman.engine.upkeep import Cancellations, Poll, Reconcile
from ferryman.store.protocol import Clock, Store, Wakeup


class NodeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a node can be told. Times are in seconds, sizes in bytes."""

    workers: int = 10
    capacity: int = 100
    """Jobs that the channel buffers."""
    queues: tuple[tuple[str, int | None], ...] | None = None
    """(queue, share of the workers or None for all of them); None serves every queue."""
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


class Incarnation:
    """The parts of a node under one id."""

    def __init__(
        self,
        world: World,
        options: NodeOptions,
        id: str,
        number: int,
        *,
        alive: Callable[[], bool],
        on_lost: Callable[[], None],
    ) -> None:
        """Build every part; nothing runs yet.

        Args:
            id: the node's.
            number: what the store calls it.
            alive: whether the event loop turns.
            on_lost: called when the node has lost its claims.
        """
        self.id = id
        self.number = number
        self.lost = False
        self.unwritten = 0
        """Outcomes that the stop could not write."""
        self._on_lost = on_lost
        self._store, self._clock = world.store, world.clock
        self._deadline, self._reason = options.stop_deadline, Reason.INTERRUPT
        self._patience = options.lease
        lease = Lease()
        self.channel: Channel[ClaimedJob] = Channel(options.capacity)
        self.completer = Completer(world.store, number, world.clock, world.wakeup, world.events, self._written)
        ladder = Ladder(Deadlines(world.clock.monotonic), options.grace)
        executor = Executor(
            world.registry,
            world.clock,
            ladder,
            lease,
            world.events,
            encode=world.encode,
            share=world.share,
            default_timeout=options.default_timeout,
            max_result=options.max_result,
        )
        self.pool = Pool(
            id,
            options.workers,
            self.channel,
            executor,
            self.completer,
            ladder,
            world.events,
            world.clock,
            world.ids.number,
            last_grace=options.last_grace,
        )
        self.dispatcher = Dispatcher(
            world.store,
            number,
            self.channel,
            self.completer,
            world.clock,
            world.ids,
            types=world.registry.types,
            shares=Shares(options.queues),
            workers=options.workers,
            on_lost=self._lose,
        )
        heartbeat = Heartbeat(
            world.store,
            number,
            world.clock,
            lease,
            self._lose,
            beat=options.beat,
            seconds=options.lease,
            alive=alive,
            ticker=world.ticker,
        )
        self.cancellations = Cancellations(world.store, number, self.pool)
        self.upkeep = Sweeper(
            world.clock.monotonic, [Poll(self.dispatcher), self.cancellations, Reconcile(self.dispatcher)]
        )
        self._parts = StartList(
            # beats before there is anything to lose, and until nothing is left to lose
            Part("registration", _nothing, self._retire),
            Part("heartbeat", heartbeat.start, heartbeat.stop),
            # writes the outcomes of the parts below, so it ends after them
            Part("completer", _nothing, self._flush),
            # workers wait at the channel before anything is sent, and end after it was closed
            Part("pool", self.pool.start, self._end_runs),
            # stops claiming, closes the channel, releases what no worker has received
            Part("dispatcher", self.dispatcher.start, self.dispatcher.stop),
            Part("upkeep", self.upkeep.start, self.upkeep.stop),
        )

    async def start(self) -> None:
        """Start every part, in order."""
        await self._parts.start()

    async def stop(self) -> None:
        """Stop them in the reverse order; runs have until the stop deadline."""
        await self._parts.stop()

    async def end_at_once(self) -> None:
        """The claims are lost: cut the handlers off now, even if a stop that is patient with them is under way."""
        self._deadline, self._reason = 0.0, Reason.LOST
        self.dispatcher.quiet()
        self.pool.cut_off(Reason.LOST)
        await self._parts.stop()

    def cancel_soon(self) -> None:
        """Somebody asked to cancel a job that this node runs."""
        self.upkeep.sooner(self.cancellations, 0.0)

    def _written(self, finishes: Any) -> None:
        self.dispatcher.written(finishes)

    def _lose(self) -> None:
        if not self.lost:
            self.lost = True
            self._on_lost()

    async def _end_runs(self) -> None:
        await self.pool.stop(self._deadline, self._reason)
        self.dispatcher.close_channel()

    async def _flush(self) -> None:
        self.unwritten = await self.completer.stop(self._patience)

    async def _retire(self) -> None:
        """A node with claims left does not retire: it will be found dead, and they are rescued."""
        if not self.unwritten:
            await self._store.retire(self.number, self._clock.now())


async def _nothing() -> None:
    """Nothing to start."""
