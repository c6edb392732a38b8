"""One simulated process: the production client and engine over its own connection to the store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from ferryman.client import Client
from ferryman.client.admission import Admission
from ferryman.domain import strictjson
from ferryman.domain.events import Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS
from ferryman.engine.node import Node
from ferryman.engine.registry import Registry
from ferryman.engine.wakeup import LocalWakeup, Wakeups
from ferryman.engine.world import NodeOptions, World
from ferryman.store.bell import Bell, Ringing
from ferryman.store.protocol import Store
from ferryman.store.sqlite import SqliteStore
from ferryman.testing.clock import EPOCH
from ferryman.testing.history import entries
from tests.simulation.filelock import FileLock
from tests.simulation.loop import Lane, SimLoop
from tests.simulation.notes import Notes
from tests.simulation.plan import Plan, Role
from tests.simulation.postgres.calls import ModelSimStore
from tests.simulation.postgres.connection import Connection
from tests.simulation.postgres.store import ModelStore
from tests.simulation.store import SimStore
from tests.simulation.threads import LaneRunner, LaneSteps, LaneTicker
from tests.simulation.transactions import SimTransactions
from tests.simulation.weather import Weather

WRITER: Final = "ferryman-writer"
"""How the SQLite store calls its runner for writes."""


class WallClock:
    """Implements the store's `Clock`: one monotonic time for the machine, a wall clock that can be set."""

    def __init__(self, loop: SimLoop, skew: float = 0.0) -> None:
        self._loop = loop
        self.offset = EPOCH + round(skew * MICROS)

    def now(self) -> int:
        """Microseconds since 1970."""
        return self.offset + round(self._loop.time() * MICROS)

    def monotonic(self) -> float:
        """Seconds."""
        return self._loop.time()


class Process:
    """A process from its spawn to its end, however that comes about."""

    def __init__(
        self,
        name: str,
        role: Role,
        plan: Plan,
        loop: SimLoop,
        notes: Notes,
        connect: Callable[[WallClock, IdMinter, LaneRunnerFactory], Store],
        bell: Bell,
        lock: FileLock,
        registry: Callable[[Process], Registry],
    ) -> None:
        """Build every part as production does; nothing runs yet."""
        self.name = name
        self.role = role
        self.loop = loop
        self.notes = notes
        self.home = Lane(name)
        self.side = Lane(f"{name} threads", self.home)
        self.dice = random.Random(f"{plan.seed} {name}")
        self.weather = Weather(self.dice, trip=plan.trip, hiccup=plan.hiccup)
        self.clock = WallClock(loop, plan.skew * (self.dice.random() - 0.5))
        self.ended: asyncio.Future[None] = loop.create_future()
        """Done once the process is no more."""
        self.up = False
        """Whether it has started, and takes requests."""
        ids = IdMinter(random.Random(f"{plan.seed} {name} ids"))
        self._inner = connect(self.clock, ids, partial(self._runner, lock))
        self.store = self._calls(self._inner, plan)
        self.transactions = self._transactions(lock)
        """Those of its handlers, where the store has any."""
        self._bell = bell
        self.local = LocalWakeup()
        self.registry = registry(self)
        self._events = Events()
        world = World(
            store=self.store,
            registry=self.registry,
            clock=self.clock,
            ids=ids,
            events=self._events,
            wakeup=Wakeups(self.local, Ringing(bell)),
            encode=strictjson.encode,
            share=self.dice.random,
            ticker=partial(LaneTicker, loop, self.side),
            admit=Admission(self.registry, self.clock, ids).admit,
            transactions=self.transactions,
            steps=partial(LaneSteps, loop, self.side, self.weather.trip, lock),
        )
        self.node = None if role == "client" else Node(world, _options(plan), self.local)
        self.client = Client(
            self.store,
            self.clock,
            ids,
            world.wakeup,
            events=self._events,
            catalogue=self.registry,
            max_pending=plan.max_pending,
            accept_unknown_types=True,
            direct=self.node,
        )

    def _calls(self, inner: Store, plan: Plan) -> SimStore:
        """How it calls its store."""
        if isinstance(inner, ModelStore):
            make: Callable[..., SimStore] = partial(ModelSimStore, inner, plan.server.lost)
        else:
            make = partial(SimStore, inner)
        return make(
            self.weather,
            self.notes,
            self.name,
            stop=self.begin_stop,
            die=self.kill,
            die_within=lambda during: self.light(1, partial(self.kill, during), threads=True),
        )

    def _runner(self, lock: FileLock, name: str) -> LaneRunner:
        """The thread that writes waits for the lock of the file; the one that reads never has to."""
        return LaneRunner(self.loop, self.side, self.weather.trip, lock if name == WRITER else None)

    def _transactions(self, lock: FileLock) -> SimTransactions | None:
        if not isinstance(self._inner, SqliteStore):
            return None
        inner, stop, die = self._inner.transactions, self.begin_stop, self.kill
        return SimTransactions(inner, lock, self.weather, self.notes, self.name, stop=stop, die=die)

    # -- life ------------------------------------------------------------------------------------

    def do(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something as a task of this process."""
        return self.loop.create_task(work, context=self.home.context.copy())

    async def start(self) -> None:
        """Come up, in production's order; runs in the process."""
        await self.client.open()
        self._bell.listen(self.name, self.local.rung)
        if self.node is not None:
            await self.node.start()
        self.up = True

    @property
    def connection(self) -> Connection | None:
        """To a server, where the store has one."""
        return self._inner.connection if isinstance(self._inner, ModelStore) else None

    def begin_stop(self) -> None:
        """Ask it to stop, if it has come up and was not asked before."""
        if self.up:
            self.do(self.stop())

    async def stop(self) -> None:
        """Go down in order; runs in the process."""
        self.up = False
        self.notes.note(entries.Stopping, "nemesis", process=self.name)
        if self.node is not None:
            await self.node.stop()
        self._bell.close()
        await self.client.close()
        unwritten = 0 if self.node is None else self.node.unwritten
        self.notes.note(entries.Stopped, self.name, process=self.name, code=1 if unwritten else 0, unwritten=unwritten)
        self._end()

    def kill(self, during: str | None = None) -> None:
        """End at once: nothing of it runs any more."""
        if not self.ended.done():
            if during in (None, "running") and self.transactions is not None and self.transactions.open is not None:
                during = entries.IN_A_TRANSACTION
            self.notes.note(entries.Killed, "nemesis", process=self.name, during=during)
            self._end()

    def _end(self) -> None:
        self.up = False
        self.loop.lots.end(self.home)
        self.loop.lots.end(self.side)
        self._bell.close()
        if self.transactions is not None:
            self.transactions.let_go()
        _let_go(self._inner)
        self.ended.set_result(None)

    # -- being held up -----------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not self.ended.done()

    def hold(self, *, loop_only: bool) -> None:
        """Freeze the process, or block its event loop alone."""
        self.notes.note(entries.Paused, "nemesis", process=self.name, loop_only=loop_only)
        self.loop.lots.hold(self.home)
        if not loop_only:
            self.loop.lots.hold(self.side)

    def let_go(self) -> None:
        """Let it run on."""
        if self.alive and (self.home.held or self.side.held):
            self.notes.note(entries.Resumed, "nemesis", process=self.name)
            self.loop.lots.let_go(self.home)
            self.loop.lots.let_go(self.side)

    @property
    def busy(self) -> int:
        """How many jobs it has in progress."""
        return self.node.in_progress if self.node is not None else 0

    def light(self, steps: int, then: Callable[[], None], *, threads: bool = False) -> None:
        """Call something instead of the next step but `steps` of the process's event loop, or of its threads."""
        lane = self.side if threads else self.home
        lane.fuse, lane.on_fuse = steps, then


LaneRunnerFactory = Callable[[str], LaneRunner]


def _let_go(store: Store) -> None:
    """What the kernel does for a process that is gone: files and connections are closed, locks are let go."""
    if isinstance(store, ModelStore):
        store.connection.die()
    if isinstance(store, SqliteStore):
        for side in (store._writer, store._reader):
            if side is not None and side._session is not None:
                side._session.connection.close()
        store._let_go()


def _options(plan: Plan) -> NodeOptions:
    return NodeOptions(
        workers=plan.workers,
        capacity=plan.capacity,
        queues=plan.shares,
        lease=plan.lease,
        beat=plan.beat,
        stop_deadline=plan.stop_deadline,
        grace=plan.grace,
        last_grace=plan.grace / 2,
        transaction_timeout=plan.transaction_timeout,
        default_timeout=10.0,
        loop_stall=plan.stall,
        priority_factor=plan.priority_factor,
    )
