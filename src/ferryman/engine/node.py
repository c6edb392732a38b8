"""A node: one process that claims. It survives the loss of its claims by beginning anew under a new id."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from typing import Final

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.errors import NodeNotLive, StoreError
from ferryman.domain.nodes import NodeWish
from ferryman.engine.admitting import Admit
from ferryman.engine.chores import Expire, ForceCancel, Promote, Prune, Rescue
from ferryman.engine.firing import DeclareSchedules, FireSchedules
from ferryman.engine.incarnation import Incarnation
from ferryman.engine.lifecycle import Lifecycle
from ferryman.engine.loopwatch import LoopWatch
from ferryman.engine.operating import Operate
from ferryman.engine.pause import Pause, backoff
from ferryman.engine.pool import Pool
from ferryman.engine.sampling import Sampler
from ferryman.engine.startlist import Part, StartList
from ferryman.engine.sweeper import Sweeper
from ferryman.engine.wakeup import LocalWakeup
from ferryman.engine.world import NodeOptions, World
from ferryman.store.protocol import NodeInfo
from ferryman.version import VERSION

log: Final = logging.getLogger("ferryman.engine")


_WISHES: Final = {NodeWish.QUIET: "be quiet", NodeWish.RESUME: "claim again", NodeWish.STOP: "stop"}


def _ignored() -> None:
    """Nobody can stop the node from here."""


class Node:
    """The engine of one process; implements the store's `DirectDispatch`."""

    def __init__(
        self, world: World, options: NodeOptions, local: LocalWakeup, *, stop_wished: Callable[[], None] = _ignored
    ) -> None:
        """Build what outlives a life; `local` will wake the parts of the life under way.

        `world.store` has to be open when the node starts, and until it has stopped. `stop_wished` is called when an
        operator wants the node to stop, which is for whoever has started it to do.
        """
        self._world = world
        self._options = options
        self._local = local
        self._stop_wished = stop_wished
        self._life: Incarnation | None = None
        self._pools: list[Pool] = []
        """Of every life: a thread may be stuck for longer than its node lived."""
        self._stopping = False
        self._quiet = False
        self._reviving: asyncio.Task[None] | None = None
        self._pause = Pause()
        store, clock, wakeup = world.store, world.clock, world.wakeup
        self._watch = LoopWatch(
            clock.monotonic, world.events, self._running_in, stall=options.loop_stall, ticker=world.ticker
        )
        lifecycle = Lifecycle(world.registry.hooks)
        self._promote = Promote(store, clock, wakeup)
        self._admit = Admit(store, clock, wakeup)
        rescue = Rescue(store, clock, wakeup, world.events, options.lease)
        declare = DeclareSchedules(store, clock, world.registry)
        fire = FireSchedules(store, clock, world.ids, wakeup, world.events)
        sampler = Sampler(store, clock, self._number)
        world.events.listen(sampler.listen)
        self._sweeper = Sweeper(
            clock.monotonic,
            [
                self._promote,
                rescue,
                self._admit,
                Expire(store, clock),
                ForceCancel(store, clock),
                Prune(store, clock),
                fire,
                sampler,
            ],
        )
        # apart from the chores, so that no job that is due waits for a portion
        self._operations = Sweeper(clock.monotonic, [Operate(store, clock, wakeup, world.events)])
        self._parts = StartList(
            # before anything can be claimed, and after the last outcome; not watched, since nothing waits for them
            Part("hooks", lifecycle.start, lifecycle.stop),
            Part("loop watch", self._watch.start, self._watch.stop),
            # a node that crashed a moment ago left claims: they come back before the first claim of this one
            Part("rescue", rescue.step, _nothing),
            # writes how long the last runs took
            Part("samples", _nothing, sampler.stop),
            Part("life", self._begin, self._end),
            # once the types of their jobs are known to the store
            Part("schedules", declare.step, _nothing),
            Part("sweeper", self._sweeper.start, self._sweeper.stop),
            Part("operations", self._operations.start, self._operations.stop),
        )

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Register, rescue, claim, run. Raises StoreError."""
        await self._parts.start()

    def quiet(self) -> None:
        """Claim no more, in this life and in every later one; what runs goes on, and so do the chores."""
        self._quiet = True
        if self._life is not None:
            self._life.quiet()

    def resume(self) -> None:
        """Claim again, unless the node stops."""
        self._quiet = False
        if self._life is not None and not self._stopping:
            self._life.resume()

    async def stop(self) -> None:
        """Take nothing more, let runs end within the stop deadline, write every outcome, retire."""
        self._stopping = True
        self._pause.cut()
        if self._life is not None:
            self._life.quiet()
        await self._parts.stop()

    @property
    def ready(self) -> bool:
        """Whether the node claims."""
        return self._life is not None and not self._life.lost and not self._stopping and not self._quiet

    @property
    def stuck_threads(self) -> int:
        """How many threads run handlers that were given up."""
        return sum(pool.stuck_threads for pool in self._pools)

    @property
    def unwritten(self) -> int:
        """How many outcomes the stop could not write."""
        return self._life.unwritten if self._life else 0

    # -- statistics ------------------------------------------------------------------------------

    @property
    def id(self) -> str | None:
        """The node's present id."""
        return self._life.id if self._life else None

    @property
    def channel_length(self) -> int:
        """How many jobs are buffered."""
        return self._life.channel.length if self._life else 0

    @property
    def channel_capacity(self) -> int:
        """How many jobs can be buffered."""
        return self._options.capacity

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return self._options.workers

    @property
    def in_progress(self) -> int:
        """How many of them run a job."""
        return self._life.pool.in_progress if self._life else 0

    # -- direct dispatch -------------------------------------------------------------------------

    def offer(self) -> ClaimRequest | None:
        """A claim to ride along with an insert, if workers are idle."""
        return self._life.dispatcher.offer() if self._life else None

    def settle(self, request: ClaimRequest, batch: Batch | None) -> None:
        """Hand over what the claim gave; None where its fate is unknown. A life does not end before that."""
        assert self._life is not None
        self._life.dispatcher.settle(request, batch)

    # -- lives -----------------------------------------------------------------------------------

    async def _begin(self) -> None:
        await self._begin_as(self._new_id())

    def _new_id(self) -> str:
        return self._world.ids.mint(self._world.clock.now())

    async def _begin_as(self, id: str) -> None:
        """Register under an id and start the parts of a new life."""
        world, options = self._world, self._options
        now = world.clock.now()
        queues = None if options.queues is None else frozenset(name for name, _ in options.queues)
        info = NodeInfo(
            id=id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=VERSION,
            types=world.registry.types,
            queues=queues,
            workers=options.workers,
            declared=world.registry.declarations,
        )
        number = await world.store.register(info, now)
        life = Incarnation(
            world,
            options,
            id,
            number,
            alive=self._watch.alive,
            on_lost=self._lost,
            is_quiet=lambda: self._quiet or self._stopping,
            heed=self._heed,
        )
        self._life = life
        if self._stopping or self._quiet:
            life.quiet()
        self._pools.append(life.pool)
        self._local.connect(id, life.dispatcher.work, self._scheduled, life.cancel_soon)
        await life.start()

    async def _end(self) -> None:
        self._local.disconnect()
        if self._reviving is not None:
            await asyncio.wait((self._reviving,))
        if self._life is not None:
            await self._life.stop()

    def _lost(self) -> None:
        """The node is not live any more: others may run its jobs."""
        if self._reviving is None:
            self._reviving = asyncio.get_running_loop().create_task(self._revive())

    async def _revive(self) -> None:
        """Stop what the lost life still runs, then begin anew, unless the node stops."""
        life = self._life
        assert life is not None
        fields = {"event": "node_lost", "node": life.id}
        log.error("The node %s lost its claims; its handlers are stopped, it begins anew.", life.id, extra=fields)
        try:
            await life.end_at_once()
            await self._begin_patiently()
        finally:
            self._reviving = None

    async def _begin_patiently(self) -> None:
        """Under one id, however often it takes: a register whose reply was lost has made the node already.

        Where that took so long that the node has been found dead meanwhile, under another one.
        """
        failures, id = 0, self._new_id()
        while not self._stopping:
            try:
                return await self._begin_as(id)
            except NodeNotLive:
                id = self._new_id()
            except StoreError as error:
                failures += 1
                log.warning("The node cannot register: %s", error, extra={"event": "register_failed"})
                await self._pause.wait(backoff(failures))
        return None

    def _heed(self, wish: NodeWish) -> None:
        """Do what an operator wants."""
        log.info("An operator wants this node to %s.", _WISHES[wish], extra={"event": "node_commanded", "wish": wish})
        {NodeWish.QUIET: self.quiet, NodeWish.RESUME: self.resume, NodeWish.STOP: self._stop_wished}[wish]()

    def _scheduled(self, run_at: int) -> None:
        seconds = self._promote.due_in(run_at)
        self._sweeper.sooner(self._promote, seconds)
        if seconds <= 0:  # somebody has committed jobs where we could not see it: they may have keys
            self._sweeper.sooner(self._admit, 0.0)

    def _number(self) -> int:
        assert self._life is not None
        return self._life.number

    def _running_in(self, task: asyncio.Task[object] | None) -> tuple[str, ...]:
        return self._life.pool.running_in(task) if self._life else ()


async def _nothing() -> None:
    """Nothing to stop."""
