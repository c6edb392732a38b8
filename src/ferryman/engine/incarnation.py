"""One life of a node: from its registration in the store until it retires or is found dead.

A node that was lost does not go on with old parts: it gets a new id, and with it new ones.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from ferryman.domain.errors import StoreError
from ferryman.domain.job import ClaimedJob
from ferryman.domain.nodes import NodeWish
from ferryman.domain.outcome import Finish
from ferryman.engine.building import make_desk, make_dispatcher, make_executor, make_heartbeat, make_pool
from ferryman.engine.capture import Capture
from ferryman.engine.channel import Channel
from ferryman.engine.completer import Completer
from ferryman.engine.deadlines import Deadlines
from ferryman.engine.heartbeat import Lease
from ferryman.engine.pause import Pause, backoff
from ferryman.engine.running import Ladder, Reason
from ferryman.engine.scribe import Scribe
from ferryman.engine.startlist import Part, StartList
from ferryman.engine.sweeper import Sweeper
from ferryman.engine.upkeep import Cancellations, CheckIn, Poll, Reconcile
from ferryman.engine.world import NodeOptions, World

log: Final = logging.getLogger("ferryman.engine")


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
        is_quiet: Callable[[], bool],
        heed: Callable[[NodeWish], None],
    ) -> None:
        """Build every part; nothing runs yet.

        Args:
            id: the node's.
            number: what the store calls it.
            alive: whether the event loop turns.
            on_lost: called when the node has lost its claims.
            is_quiet: whether the node claims no more.
            heed: does what operators want of the node.
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
        ladder = Ladder(Deadlines(world.clock.monotonic), options.grace)
        self._desk = make_desk(world, options, number)
        self._scribe = Scribe(world.store, number, world.clock, world.events, world.registry.hiding)
        self._capture = Capture(self._scribe.notebook, options.log_capture)
        executor = make_executor(world, options, ladder, lease, self._desk, self._scribe.notebook)
        self.channel: Channel[ClaimedJob] = Channel(options.capacity)
        self.completer = Completer(
            world.store,
            number,
            world.clock,
            world.wakeup,
            world.events,
            self._written,
            world.ids.number,
            self._scribe.last,
        )
        self.pool = make_pool(world, options, id, self.channel, executor, self.completer, ladder)
        self.dispatcher = make_dispatcher(
            world, options, number, self.channel, self.completer, lease, on_lost=self._lose, on_due=self._poll_within
        )
        self._heartbeat = make_heartbeat(world, options, number, lease, alive, self._lose)
        check_in = CheckIn(
            world.store,
            number,
            self.pool,
            world.clock,
            beat=options.beat,
            rss=world.rss,
            is_quiet=is_quiet,
            heed=heed,
        )
        # apart from the upkeep, which ends first: others see how the node is until its last run has ended
        self._check_in = Sweeper(world.clock.monotonic, [check_in])
        self._cancellations = Cancellations(world.store, number, self.pool)
        self._poll = Poll(self.dispatcher)
        self._upkeep = Sweeper(world.clock.monotonic, [self._poll, self._cancellations, Reconcile(self.dispatcher)])
        self._parts = self._start_list()

    def _start_list(self) -> StartList:
        """Every part in the order of starting; the stop goes the other way."""
        return StartList(
            # beats before there is anything to lose, and until nothing is left to lose
            Part("registration", _nothing, self._retire),
            Part("heartbeat", self._heartbeat.start, self._heartbeat.stop),
            # says how the node is, and hears what operators want of it
            Part("check in", self._check_in.start, self._check_in.stop),
            # writes by itself what runs say, until there are none
            Part("scribe", self._scribe.start, self._scribe.stop),
            # hears what runs log, from the first to the last
            Part("capture", self._capture.start, self._capture.stop),
            # writes the outcomes of the parts below, so it ends after them
            Part("completer", _nothing, self._flush),
            # workers wait at the channel before anything is sent, and end after it was closed
            Part("pool", self.pool.start, self._end_runs),
            # stops claiming, closes the channel, releases what no worker has received
            Part("dispatcher", self.dispatcher.start, self.dispatcher.stop),
            Part("upkeep", self._upkeep.start, self._upkeep.stop),
        )

    async def start(self) -> None:
        """Start every part, in order."""
        await self._parts.start()

    def quiet(self) -> None:
        """Claim no more from this moment on; a stop has parts to end before the dispatcher's turn comes."""
        self.dispatcher.quiet()

    def resume(self) -> None:
        """Claim again, unless the claims are lost."""
        if not self.lost:
            self.dispatcher.resume()

    async def stop(self) -> None:
        """Stop them in the reverse order; runs have until the stop deadline."""
        await self._parts.stop()

    async def end_at_once(self) -> None:
        """The claims are lost: cut the handlers off now, even if a stop that is patient with them is under way."""
        self._deadline, self._reason = 0.0, Reason.LOST
        self.quiet()
        self.pool.cut_off(Reason.LOST)
        await self._parts.stop()

    def cancel_soon(self) -> None:
        """Somebody asked to cancel a job that this node runs."""
        self._upkeep.sooner(self._cancellations, 0.0)

    def _poll_within(self, seconds: float) -> None:
        self._upkeep.sooner(self._poll, seconds)

    def _written(self, finishes: Sequence[Finish]) -> None:
        self.dispatcher.written(finishes)

    def _lose(self) -> None:
        if not self.lost:
            self.lost = True
            self._on_lost()

    async def _end_runs(self) -> None:
        await self.pool.stop(self._deadline, self._reason)
        if self._desk is not None:
            self._desk.close()  # a handler that was given up may still have a transaction open
        self.dispatcher.close_channel()

    async def _flush(self) -> None:
        self.unwritten = await self.completer.stop(self._patience)

    async def _retire(self) -> None:
        """A node with claims left does not retire: it will be found dead, and they are rescued."""
        if self.unwritten or not await self.dispatcher.last_look(self._patience):
            return
        if not await self._retire_patiently():
            return
        # a claim whose connection was lost may have come after the look; after the retirement none can
        await self.dispatcher.last_look(self._patience)

    async def _retire_patiently(self) -> bool:
        """Say it until the store has heard it: while the node counts as live, a claim of it may still come."""
        deadline, failures = self._clock.monotonic() + self._patience, 0
        while True:
            try:
                await self._store.retire(self.number, self._clock.now())
            except StoreError as error:
                failures += 1
                if self._clock.monotonic() >= deadline:
                    told = "The node could not retire, it will be found dead: %s"
                    log.warning(told, error, extra={"event": "retire_failed"})
                    return False
            else:
                return True
            await Pause().wait(backoff(failures))


async def _nothing() -> None:
    """Nothing to start."""
