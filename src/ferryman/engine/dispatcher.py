"""Moves claimed jobs from the store to the channel, and knows which claims this node has open.

    wakeup, free worker, room, poll -> look -> at most one claim in flight -> accept -> channel -> look

Nothing here waits in a loop: whatever may change the answer to "should I claim now?" makes it look
again. A claim is a task of its own that nobody cancels, because a claim that is given must be kept: what
arrives after the stop is released.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.errors import NodeNotLive, StoreError
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, ClaimedJob
from ferryman.domain.outcome import Finish
from ferryman.engine.books import Books
from ferryman.engine.channel import Channel
from ferryman.engine.completer import Completer
from ferryman.engine.heartbeat import Lease
from ferryman.engine.pause import Pause, backoff
from ferryman.engine.prefetch import Prefetch
from ferryman.engine.shares import Group, Shares
from ferryman.engine.turns import Turns
from ferryman.store.protocol import Clock, Store

log: Final = logging.getLogger("ferryman.engine")

CAP: Final = 1000
"""Jobs in one claim."""


class Dispatcher:
    """Claims for one node; implements the store's `DirectDispatch`."""

    def __init__(
        self,
        store: Store,
        node: int,
        channel: Channel[ClaimedJob],
        completer: Completer,
        clock: Clock,
        ids: IdMinter,
        lease: Lease,
        *,
        types: frozenset[str],
        shares: Shares,
        workers: int,
        turns: Turns,
        on_lost: Callable[[], None],
        on_due: Callable[[float], None],
    ) -> None:
        """Make a dispatcher.

        Args:
            node: the number that the store gave the node.
            lease: until when the node may vouch for its claims; after that it claims nothing.
            types: what the node has handlers for.
            shares: the queues that it serves, and how many workers each may have.
            turns: when age counts instead of priority.
            on_lost: called once when the store says that the node is not live any more.
            on_due: called with the seconds in which `poll` is to be called, as a rate may let something through.
        """
        self._store = store
        self._node = node
        self._channel = channel
        self._completer = completer
        self._clock = clock
        self._ids = ids
        self._lease = lease
        self._types = types
        self._shares = shares
        self._turns = turns
        self._on_lost = on_lost
        self._on_due = on_due
        self._limited = False
        """Whether a limit has kept something from a claim: the end of any run may make room."""
        self._prefetch = Prefetch(workers)
        self._books = Books()
        self._busy = False
        """Whether a claim or an offer is under way, or its fate is being found out."""
        self._asked_at = 0.0
        self._landed: asyncio.Future[None] | None = None
        self._will_look = False
        self._running = False
        self._started = self._stopping = self._quiet = False
        self._retry = Pause()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to claim, unless `quiet` came first."""
        self._started = True
        if self._types and not self._quiet:
            self._running = True
            self.work()

    def quiet(self) -> None:
        """Claim no more; what arrives from now on is released."""
        self._quiet = True
        self._running = False
        self._retry.cut()

    def resume(self) -> None:
        """Claim again after a `quiet`, once it has started; not after the stop."""
        self._quiet = False
        if self._types and self._started and not self._stopping:
            self._running = True
            self.work()

    async def stop(self) -> None:
        """Claim no more, wait for a claim under way, close the channel, release what no worker has received."""
        self._stopping = True
        self.quiet()
        while self._busy:
            self._landed = asyncio.get_running_loop().create_future()
            await self._landed
        self.close_channel()

    async def last_look(self, patience: float) -> bool:
        """After the end of all runs: release what the store still has, such as the claim of an insert that came late.

        False: for `patience` seconds the store could not be asked.
        """
        return await self._reconcile_patiently(self._clock.monotonic() + patience)

    def close_channel(self) -> None:
        """Release what no worker has received; again after the workers' end, for one that gave its job back."""
        self._completer.release(self._channel.close())

    # -- what makes it look ----------------------------------------------------------------------

    def work(self) -> None:
        """There may be pending jobs."""
        self._shares.work()
        self._look_soon()

    def written(self, finishes: Sequence[Finish]) -> None:
        """Runs of this node have their outcomes in the store."""
        held_back = self._books.alone or self._shares.bound or self._limited
        self._books.ended(finishes)
        self._prefetch.ended(finishes)
        if held_back:  # something may have waited for one of these runs
            self._shares.ended(finishes)
            self.work()

    def _look_soon(self) -> None:
        """Look when everything else that is ready has run: then all workers that are about to wait do wait."""
        if not self._will_look and self._running:
            self._will_look = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """Claim if that is worth it now; else look again when workers have taken what is buffered."""
        self._will_look = False
        if not self._running or self._busy:
            return
        channel, groups = self._channel, self._shares.worth_asking()
        low = self._prefetch.trip
        for group in groups:
            if channel.idle or (channel.length + channel.waiting <= low and not group.careful):
                request = self._request(group)
                if request is not None:
                    self._spawn(self._claim(group, request))
                    return
        if groups:
            channel.when_low(0 if all(group.careful for group in groups) else low, self._look_soon)

    def poll(self) -> None:
        """Look although nobody said that there is work: a wakeup may have been lost."""
        if self._channel.idle:
            self.work()

    # -- claiming --------------------------------------------------------------------------------

    def _request(self, group: Group) -> ClaimRequest | None:
        """Ask for what will start soon: a job for each idle worker, and what is to be held ready.

        Never more than the channel will have room for by the time the claim is answered; where that was
        reckoned too high, sending waits.
        """
        asked_at = self._clock.monotonic()
        if asked_at >= self._lease.until:
            return None  # no worker would start them: they would go round between store and node until a beat
        channel, prefetch = self._channel, self._prefetch
        idle, buffered = channel.idle, channel.length + channel.waiting
        wanted = idle + max(0, prefetch.count - buffered)
        room = max(0, channel.room) + prefetch.trip
        limit = min(CAP, room, wanted, CAP if group.room is None else group.room)
        if limit <= 0:
            return None
        owed = self._turns.owed
        if owed:
            limit = min(limit, owed)
        self._shares.asked(group)
        self._busy = True
        self._books.in_flight = batch = self._ids.number()
        self._asked_at = asked_at
        return ClaimRequest(
            node=self._node,
            batch=batch,
            types=self._types,
            queues=group.queues,
            limit=limit,
            idle=min(idle, limit),
            alone=not self._books.alone,
            by_age=owed > 0,
        )

    async def _claim(self, group: Group, request: ClaimRequest) -> None:
        """One claim, to its end."""
        if not self._running:  # a stop came before this task's first step
            self._land()
            return
        try:
            batch = await self._store.claim(request, self._clock.now())
        except NodeNotLive:
            self._land()
            self._lose()
        except Exception as error:
            expected = isinstance(error, StoreError)
            log.warning("A claim failed: %s", error, exc_info=not expected, extra={"event": "claim_failed"})
            group.work()
            await self._recover()
        else:
            self._accept(group, request, batch)

    def _accept(self, group: Group, request: ClaimRequest, batch: Batch) -> None:
        """Keep the books, then send."""
        jobs = batch.jobs
        starved = self._channel.idle > 0 and len(jobs) >= request.limit and not request.by_age
        self._prefetch.claimed(self._asked_at, self._clock.monotonic(), starved=starved)
        self._books.opened(batch)
        self._shares.claimed(jobs)
        self._turns.claimed(request, batch)
        group.answered(request, len(jobs))
        self._heed(group, batch)
        if self._running:
            self._channel.send_all(jobs)
        else:
            self._completer.release(jobs)
        self._land()
        self._look_soon()

    def _heed(self, group: Group, batch: Batch) -> None:
        """Where a limit has kept something back, look again: as long as that gives jobs, and when it may give more."""
        again = batch.again
        self._limited = again.limited
        if again.limited and batch.jobs:
            group.work()
        elif again.due is not None:
            self._on_due(max(0.0, (again.due - self._clock.now()) / MICROS))

    def _land(self) -> None:
        """No claim is under way any more."""
        self._busy = False
        self._books.in_flight = None
        if self._landed is not None and not self._landed.done():
            self._landed.set_result(None)

    def _lose(self) -> None:
        if self._running:
            self._running = False
            self._on_lost()

    # -- direct dispatch -------------------------------------------------------------------------

    def offer(self) -> ClaimRequest | None:
        """A claim for the idle workers, to ride along with an insert."""
        group = self._shares.free
        if group is None or not self._running or self._busy or not self._channel.idle:
            return None
        return self._request(group)

    def settle(self, request: ClaimRequest, batch: Batch | None) -> None:
        """The insert is done, and this is what its claim gave; None where nobody knows."""
        group = self._shares.free
        assert group is not None
        if batch is None:
            group.work()
            self._spawn(self._recover())
        else:
            self._accept(group, request, batch)

    # -- books -----------------------------------------------------------------------------------

    async def reconcile(self) -> None:
        """Release the claims that the store has and this node does not know: their replies were lost.

        Raises:
            StoreError: the store could not be asked.
        """
        for batch in await self._store.open_batches(self._node):
            if self._books.knows(batch.id):
                continue
            count = await self._store.release(self._node, batch.id, self._clock.now())
            if count:
                log.warning("Released %d jobs of a claim whose reply was lost.", count, extra={"event": "released"})
                self.work()

    async def _recover(self) -> None:
        """The fate of the claim under way is unknown: claim nothing more before the store has told it."""
        self._books.in_flight = None
        await self._retry.wait(backoff(1))
        if self._running:
            await self._reconcile_patiently(math.inf)
        self._land()
        self._look_soon()

    async def _reconcile_patiently(self, deadline: float) -> bool:
        """Reconcile until that is possible, the node stops, or a time has come; says whether it was."""
        failures, running = 0, self._running
        while True:
            try:
                await self.reconcile()
            except Exception as error:
                failures += 1
                log.warning("The open claims could not be compared: %s", error, extra={"event": "reconcile_failed"})
            else:
                return True
            if self._running is not running or self._clock.monotonic() >= deadline:
                return False
            await self._retry.wait(backoff(failures))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that nobody waits for, and keep it from being collected."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
