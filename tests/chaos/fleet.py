"""The processes of a campaign: watched, and started again under a new name whenever one has ended."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ferryman.testing.history.entries import Killed, Paused, Resumed, Spawned, Stopped
from tests.chaos.clients import Addresses
from tests.chaos.journal import Journal
from tests.chaos.process import Process
from tests.chaos.target import EXITS

TICK: Final = 0.02
"""Seconds between two looks at the processes."""
DOWNTIME: Final = 0.3
"""Seconds until a process that has ended is started again."""
PATIENCE: Final = 30.0
"""Seconds after which a process that does not start, or stop, is given up."""
CLEAN: Final = (0, 4)
"""Exit codes of a stop: all is well, or a handler in a thread would not end (P13)."""
UNWRITTEN: Final = 1
"""The exit code of a stop that could not write everything."""


@dataclass
class Slot:
    """A place for one process after another."""

    name: str
    module: str
    arguments: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its processes find in their environment besides that of all."""
    process: Process | None = None
    generation: int = 0
    start_at: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether there is a process that something can be done to."""
        return self.process is not None and self.process.usable


class Fleet:
    """All processes. Everything here happens on the campaign's own thread, in its `wait`."""

    def __init__(
        self,
        slots: Sequence[Slot],
        folder: Path,
        environ: Mapping[str, str],
        journal: Journal,
        addresses: Addresses,
        excused: Callable[[float], bool],
    ) -> None:
        """`excused` says whether a process may fail to start that began at a time, or one that was asked to stop then
        may be unable to write everything: the store has been in trouble since."""
        self.slots = slots
        self.complaints: list[str] = []
        """What no process should have done."""
        self.restarting = True
        """Whether a process that has ended is started again."""
        self._folder = folder
        self._environ = environ
        self._journal = journal
        self._addresses = addresses
        self._excused = excused
        self._never = threading.Event()

    # -- waiting, and meanwhile watching -----------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.wait_until(lambda: False, seconds)

    def wait_until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until something is so; says whether it came to that."""
        deadline = time.monotonic() + seconds
        while True:
            for slot in self.slots:
                self._look_at(slot)
            if true():
                return True
            if time.monotonic() >= deadline:
                return False
            self._never.wait(TICK)

    def all_up(self) -> bool:
        """Whether every process is up and unharmed."""
        return all(slot.usable for slot in self.slots)

    def all_down(self) -> bool:
        """Whether every process has ended."""
        return all(slot.process is None for slot in self.slots)

    def _look_at(self, slot: Slot) -> None:
        process, now = slot.process, time.monotonic()
        if process is None:
            if self.restarting and now >= slot.start_at:
                self._start(slot)
            return
        if process.frozen_until is not None and now >= process.frozen_until:
            self._journal.note(Resumed, process=process.name)
            process.thaw()
        if process.ready.is_set() and process.url:
            self._addresses.add(process.name, process.url)
        code = process.popen.poll()
        if code is not None:
            self._bury(slot, process, code)
        elif self._too_long(process, now):
            self.complaints.append(f"{process.name} did not start or stop within {PATIENCE:g} s")
            self.kill(slot)

    def _too_long(self, process: Process, now: float) -> bool:
        since = process.stopping_since or (None if process.ready.is_set() else process.began)
        return since is not None and now - since > PATIENCE

    def _start(self, slot: Slot) -> None:
        slot.generation += 1
        name = f"{slot.name}.{slot.generation}"
        self._journal.note(Spawned, process=name)
        slot.process = Process(slot.module, name, self._folder, {**self._environ, **slot.environ}, slot.arguments)

    def _bury(self, slot: Slot, process: Process, code: int) -> None:
        """Note how a process ended, unless it did so itself, and make room for the next one."""
        self._addresses.remove(process.name)
        process.close()
        if code not in (-signal.SIGKILL, *EXITS):
            self._journal.note(Stopped, process=process.name, code=code, unwritten=int(code == UNWRITTEN))
            if not self._expected(process, code) and (process.ready.is_set() or not self._excused(process.began)):
                self.complaints.append(f"{process.name} ended with code {code}")
        slot.process = None
        slot.start_at = time.monotonic() + DOWNTIME

    def _expected(self, process: Process, code: int) -> bool:
        """Whether a process that was asked to stop may have ended in this way."""
        since = process.stopping_since
        return since is not None and (code in CLEAN or (code == UNWRITTEN and self._excused(since)))

    # -- harming -----------------------------------------------------------------------------------

    def kill(self, slot: Slot) -> None:
        """SIGKILL, whatever it does just now."""
        if slot.process is not None and slot.process.popen.poll() is None:
            self._journal.note(Killed, process=slot.process.name)
            slot.process.kill()
            slot.process.popen.wait()

    def freeze(self, slot: Slot, seconds: float) -> None:
        """Stop it in its tracks for so long; it goes on by itself, in `wait`."""
        if slot.process is not None and slot.usable:
            slot.process.freeze(seconds)
            self._journal.note(Paused, process=slot.process.name)

    def stop(self, slot: Slot) -> None:
        """SIGTERM; the process notes when it begins to stop."""
        if slot.process is not None and slot.process.stopping_since is None:
            slot.process.stop()

    def end(self) -> None:
        """After an accident: leave nothing running."""
        for slot in self.slots:
            if slot.process is not None:
                slot.process.kill()
                slot.process.popen.wait()
