"""Where one trial is played: a folder with a fresh database, and the processes that work on it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from ferryman.app import Ferryman
from ferryman.client import JobRequest
from ferryman.connecting import client_of
from ferryman.crashing.line import Broken, Ended, Message, Stands
from ferryman.crashing.play import Beginning, Part, play
from ferryman.crashing.points import Point
from ferryman.crashing.process import Process
from ferryman.domain.errors import CrashTestImpossible
from ferryman.engine.clock import SystemClock
from ferryman.engine.registry import Registry
from ferryman.settings import Settings
from ferryman.settings.kinds import Retention

BLIND: Final = (3600.0, 600.0)
"""Lease and beat of a node that will be overtaken: it does not beat before its handler has ended, so it goes on as if
nothing had been. In life it would notice soon, but nobody can say how soon."""
FREEZES: Final = 20
"""How often a process is frozen before it is taken for one that always holds the file's lock."""
_ROLLED_BACK: Final = 1.0
"""Seconds within which a transaction that has lasted too long is rolled back."""


class Subject(msgspec.Struct, frozen=True):
    """What every trial is about."""

    app: Ferryman
    request: JobRequest
    settings: Settings
    setup: Callable[[Path], object] | None
    timeout: float
    """Seconds that a trial may take."""
    folder: Path
    """Where every trial has a folder of its own."""

    @property
    def new_file(self) -> Path:
        """A database without jobs; each trial has a copy, as making one takes longer than all else."""
        return self.folder / "new.db"


class Hung(Exception):
    """A trial came to no end."""

    def __init__(self, what: str, detail: str) -> None:
        """`what` is hung (it took too long), died (a process ended by itself) or broken (a node could not start)."""
        super().__init__(what, detail)
        self.what = what
        self.detail = detail


class Stage:
    """A trial. Leaving it kills whoever is still there, and removes the folder."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._monotonic = SystemClock().monotonic
        self._processes: list[Process] = []
        self._folder: Path | None = None
        self._deadline = 0.0

    def __enter__(self) -> Self:
        """Make the folder and the database, then let the user set up what is his.

        Raises:
            CrashTestImpossible: the setup left a connection to the file open.
        """
        self._folder = Path(tempfile.mkdtemp(dir=self._subject.folder))
        try:
            shutil.copyfile(self._subject.new_file, self.database)
            if self._subject.setup is not None:
                self._subject.setup(self.database)
            refuse_open(self.database)
        except BaseException:
            self._clear()
            raise
        self._deadline = self._monotonic() + self._subject.timeout
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    @property
    def database(self) -> Path:
        """The trial's file."""
        assert self._folder is not None
        return self._folder / "jobs.db"

    # -- processes -------------------------------------------------------------------------------

    def first(self, stop_at: Point | None, *, blind: bool = False) -> Process:
        """Start a node that enqueues the job; one that is `blind` will be overtaken."""
        if not blind:
            return self._start(self._settings(), Beginning.ENQUEUES, stop_at)
        lease, beat = BLIND
        return self._start(self._settings(lease=lease, beat=beat), Beginning.ENQUEUES, stop_at)

    def next(self, stop_at: Point | None = None, *, overtakes: bool = False) -> Process:
        """Start another node; one that `overtakes` takes those that are frozen for dead."""
        return self._start(self._settings(), Beginning.OVERTAKES if overtakes else Beginning.GOES_ON, stop_at)

    def hear(self, process: Process) -> Stands | Ended:
        """What a process says next. Raises Hung."""
        try:
            message: Message | None = process.hear(self._deadline)
        except TimeoutError:
            raise Hung("hung", f"not at rest after {self._subject.timeout:g} s") from None
        if message is None:
            raise Hung("died", "the node's process ended by itself")
        if isinstance(message, Broken):
            raise Hung("broken", message.why)
        return message

    def freeze(self, process: Process) -> bool:
        """Freeze a process at a moment when it does not hold the file's write lock; False: it always does.

        A transaction of its handler is waited for: as in life, it is rolled back when it has lasted too long.
        """
        patience = self._subject.settings.transaction_timeout + _ROLLED_BACK
        for _ in range(FREEZES):
            if not can_write(self.database, patience):
                return False
            process.freeze()
            if can_write(self.database, 0.0):
                return True
            process.thaw()  # its engine was in the middle of a commit
        return False

    def end(self) -> None:
        """Kill whoever is still there."""
        for each in self._processes:
            each.close()

    def _start(self, settings: Settings, beginning: Beginning, stop_at: Point | None) -> Process:
        subject = self._subject
        part = Part(subject.app, settings, subject.request, beginning, stop_at, self._deadline - self._monotonic())
        process = Process(self._monotonic)
        self._processes.append(process)
        process.start(partial(play, part), [each for each in self._processes if each is not process])
        return process

    def _settings(self, **changes: Any) -> Settings:
        """Those of the app, but for what a trial needs."""
        return msgspec.structs.replace(
            self._subject.settings,
            database_url=f"sqlite:///{self.database}",
            queues=None,
            processes=0,
            worker_count=1,  # one run at a time, so that every trial goes the same way
            stop_deadline=self._subject.timeout,
            loop_stall=self._subject.timeout + 3600.0,  # a loop that stands still is what is wanted
            retention=Retention(),
            **changes,
        )

    def _clear(self) -> None:
        self.end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def can_write(database: Path, patience: float) -> bool:
    """Whether the file's write lock can be had within so many seconds."""
    with closing(sqlite3.connect(database, timeout=patience, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


def refuse_open(database: Path) -> None:
    """Refuse a connection to the file that is open here: a forked process must not inherit it (see connected.py).

    Only where the system tells, as Linux does. Raises CrashTestImpossible.
    """
    for each in _descriptors():
        with suppress(OSError):
            if Path(each).readlink() == database:
                raise CrashTestImpossible(
                    "setup() left a connection to the database open.",
                    why="The node runs in a forked process, which must not inherit it.",
                    hint="Close it at the end of setup(), and let the handler open its own.",
                )


def _descriptors() -> Sequence[Path]:
    folder = Path("/proc/self/fd")
    return list(folder.iterdir()) if folder.is_dir() else []


def make_file(subject: Subject) -> None:
    """Make the database that trials copy, and leave no connection behind. Raises StoreError."""

    async def make() -> None:
        settings = msgspec.structs.replace(subject.settings, database_url=f"sqlite:///{subject.new_file}")
        client = client_of(settings, Registry(), SystemClock())
        await client.open()
        await client.close()

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(make())
    finally:
        loop.close()
