"""The stores of one seed's world: what each process is connected to, and what is read from it in the end."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ferryman.domain.ids import IdMinter
from ferryman.engine.runner import InlineRunner
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import Retention, Store
from ferryman.store.sqlite import SqliteStore
from ferryman.store.sqlite.statements import Statements
from ferryman.testing.history.entries import RunKey
from tests.simulation import together
from tests.simulation.loop import SimLoop
from tests.simulation.notes import Notes
from tests.simulation.noting import NotingSqliteStore
from tests.simulation.plan import Plan
from tests.simulation.postgres.server import Server
from tests.simulation.postgres.store import ModelStore
from tests.simulation.postgres.tables import ModelMemory
from tests.simulation.process import LaneRunnerFactory, WallClock

FOREVER: Final = Retention(10**15, 10**15, 10**15)


class Stores:
    """A store in memory that all processes share, a server of which all are clients, or a file that each opens."""

    def __init__(
        self, plan: Plan, loop: SimLoop, notes: Notes, clock: WallClock, path: Path, gone: Callable[[str], bool]
    ) -> None:
        """`path` is where the SQLite file is, or will be; `gone` says of a node whether its process has ended."""
        self._kind = plan.store
        self._clock = clock
        self._path = path
        self._statements = Statements()
        ids = IdMinter(random.Random(plan.seed))
        self._memory = MemoryStore(clock, ids, FOREVER, gone=gone)
        self.server = Server(ModelMemory(clock, ids, FOREVER), plan.server, plan.trip, loop, notes, plan.seed)

    def connect(self, process: str, clock: WallClock, ids: IdMinter, runner: LaneRunnerFactory) -> Store:
        """For a process."""
        if self._kind == "memory":
            return self._memory
        if self._kind == "postgres":
            return ModelStore(self.server, process)
        return NotingSqliteStore(
            self._path,
            clock=clock,
            ids=ids,
            retention=FOREVER,
            runner=runner,
            statements=self._statements,
            at_fork=_nobody_forks,
            around_forks=_nobody_forks,
        )

    async def open_final(self) -> Store:
        """The stage's own connection, of which no process knows."""
        if self._kind == "memory":
            return self._memory
        if self._kind == "postgres":
            return self.server.memory
        store = SqliteStore(
            self._path,
            clock=self._clock,
            ids=IdMinter(random.Random(0)),
            retention=FOREVER,
            runner=lambda _name: InlineRunner(),
            statements=self._statements,
            at_fork=_nobody_forks,
            around_forks=_nobody_forks,
        )
        await store.open()
        return store

    def ledger(self) -> Sequence[RunKey]:
        """What handlers wrote in transactions of their own."""
        return together.ledger(self._path) if self._kind == "sqlite" else ()


def _nobody_forks(*_calls: object) -> None:
    """Simulated processes fork no children."""
