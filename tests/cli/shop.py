"""Commands on a database: how they are called, and how jobs get into the state that they are to find."""

from __future__ import annotations

import asyncio
import io
import json
import random
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from ferryman.app import Ferryman
from ferryman.cli import main
from ferryman.cli.world import World
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, Job
from ferryman.engine.runner import InlineRunner
from ferryman.settings import Settings
from ferryman.store.protocol import Store
from ferryman.store.sqlite import SqliteStore
from ferryman.supervise.role import Role
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import Harness
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.harness import RETENTION

T = TypeVar("T")


class Result(msgspec.Struct):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """The words of each line below the head of a table."""
        return [line.split() for line in self.out.splitlines()[1:]]


class Place(msgspec.Struct):
    """Stands in for a harness where only its clock is asked for."""

    clock: ManualClock


class Shop:
    """A folder with a database, its clock, and a terminal if there is to be one."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.path = folder / "jobs.db"
        self.clock = ManualClock()
        self.terminal = False
        self.who = "anna@host"
        self.sqlite: tuple[int, int, int] = (3, 51, 3)
        self.environ = {"DATABASE_URL": f"sqlite:///{self.path}"}
        self.pauses: list[Callable[[], object]] = []
        """What happens while a command pauses, once each; then Ctrl-C."""
        self.signals: list[tuple[int, int]] = []
        """(process, signal) that commands have sent."""
        self.run: Callable[[Settings, Ferryman, Role], int] | None = None
        """What stands in for serving."""
        self._capsys = capsys
        self._patch = patch
        self._store: Store = SqliteStore(
            self.path,
            clock=self.clock,
            ids=IdMinter(random.Random(5)),
            retention=RETENTION,
            runner=lambda _: InlineRunner(),
        )
        harness: Any = Place(self.clock)
        place: Harness = harness
        self.bench = Bench(place, self._store)

    def do(self, *work: Callable[[Bench], Coroutine[Any, Any, T]]) -> list[T]:
        """Do some work with the store, as another process would."""

        async def work_within() -> list[T]:
            await self._store.open()
            try:
                return [await each(self.bench) for each in work]
            finally:
                await self._store.close()

        return asyncio.run(work_within())

    def one(self, work: Callable[[Bench], Coroutine[Any, Any, T]]) -> T:
        [result] = self.do(work)
        return result

    def read(self, id: str) -> Job:
        return self.one(lambda bench: bench.read(id))

    def call(self, *arguments: str, stdin: str | None = None) -> Result:
        """Run a command; gives its exit code and what it printed."""
        world = World(
            environ=self.environ,
            folder=self.folder,
            now=lambda: self.clock.now() / MICROS,
            sqlite=self.sqlite,
            is_terminal=lambda _: self.terminal,
            pause=self._pause,
            send=lambda pid, number: self.signals.append((pid, number)),
            run=self.run,
            who=lambda: self.who,
        )
        if stdin is not None:
            self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as caught:
            main(arguments, world)
        out, err = self._capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return Result(caught.value.code, out, err)

    async def _pause(self, seconds: float) -> None:
        assert seconds >= 1
        self.clock.advance(seconds)
        if not self.pauses:
            raise KeyboardInterrupt
        await _in_between(self.pauses.pop(0))

    def target(self) -> str:
        """A file with two types, under a name of its own, so that no module is met twice."""
        name = f"jobs_of_{self.folder.name.replace('-', '_')}"
        (self.folder / f"{name}.py").write_text(APP)
        return f"{name}.py"

    def count(self) -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            (count,) = connection.execute("SELECT count(*) FROM job").fetchone()
            return int(count)


APP = """
from ferryman import Ferryman
app = Ferryman()

@app.job(queue="letters", max_attempts=3)
def greet(name: str, times: int = 1) -> str:
    return name * times

@app.job
def other() -> None: ...
"""


async def _in_between(happening: Callable[[], object]) -> None:
    result = happening()
    if isinstance(result, Awaitable):
        await result
