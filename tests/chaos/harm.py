"""A node whose handlers are hostile: fed with harmless jobs meanwhile, stopped, and another one killed."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from unittest import mock

from ferryman import Ferryman
from ferryman.client import Client
from ferryman.domain.job import Attempt, Job
from ferryman.store.protocol import JobFilter
from ferryman.testing.serving import Server
from tests.chaos import hostile_target
from tests.chaos.hostile_target import LOG, QUEUE
from tests.chaos.marked import MARK, end, marked
from tests.chaos.memory import Group
from tests.chaos.sightings import Sighting, read

HARMLESS: Final = ("waits", "works", "computes")
LINGERING: Final = ("ignores", "spins", "breeds", "leaves")
"""Types that have to be ended with their node."""
SECONDS: Final = (0.0, 0.002, 0.02)
"""How long harmless jobs take."""
WORKERS: Final = 8
SHARE: Final = 4
"""How many workers the hostile jobs may have."""
BACKLOG: Final = 60
"""So many harmless jobs wait at most."""
TICK: Final = 0.05
REMAINS_SECONDS: Final = 5.0
PATIENCE: Final = 600.0


@dataclass
class Found:
    """What came of it. Times in seconds; None where it took longer than `REMAINS_SECONDS`."""

    jobs: Sequence[Job]
    attempts: Mapping[str, Sequence[Attempt]]
    """Of the hostile jobs."""
    log: Sequence[Sighting]
    oom_kills: int
    after_stop: float | None
    """From the node's end until the last of its kin had ended."""
    after_kill: float | None
    faults: list[str]


class Play:
    """A node, one after the other, and who feeds it."""

    def __init__(self, folder: Path, group: Group | None) -> None:
        self.log = folder / "log"
        self.mark = str(folder)
        self.faults: list[str] = []
        self._group = group
        self._database = folder / "jobs.db"
        self._never = threading.Event()

    def start(self) -> Server:
        """Start a node, inside the group if there is one."""
        queues = f"{QUEUE}:{SHARE},default"
        settings = {"WORKER_COUNT": WORKERS, "QUEUES": queues, "STOP_DEADLINE": 2, "LOG_LEVEL": "error"}
        group = nullcontext() if self._group is None else self._group.inside()
        with group, mock.patch.dict(os.environ, {MARK: self.mark, LOG: str(self.log)}):
            return Server(Path(hostile_target.__file__), self._database, settings)

    def hand_in(self, server: Server, type: str, payload: dict[str, object] | None = None, **options: object) -> str:
        """Enqueue a job; gives its id."""
        status, _, job = server.call("POST", "/jobs", {"type": type, "payload": payload or {}, **options})
        if status != 201:
            raise RuntimeError(f"A job of type {type} was answered {status}: {job}")
        return str(job["id"])

    def feed_until(self, server: Server, over: Callable[[], bool], dice: random.Random) -> None:
        """Keep harmless jobs coming until something is so."""
        until = time.monotonic() + PATIENCE
        while not over():
            if time.monotonic() >= until:
                self.faults.append(f"it was not over after {PATIENCE:g} s")
                return
            _, _, counted = server.call("GET", "/metrics")
            for _ in range(max(0, BACKLOG - counted["jobs_pending"])):
                self.hand_in(server, dice.choice(HARMLESS), {"seconds": dice.choice(SECONDS)})
            self._never.wait(TICK)

    def wait_until(self, so: Callable[[], bool], seconds: float = PATIENCE) -> float | None:
        """How long it takes until something is so; None if longer than that."""
        began = time.monotonic()
        while not so():
            if time.monotonic() - began >= seconds:
                return None
            self._never.wait(TICK)
        return time.monotonic() - began

    def gone(self, when: str) -> float | None:
        """How long it takes until nobody is left of a node that has ended."""
        seconds = self.wait_until(lambda: not marked(self.mark), REMAINS_SECONDS)
        if seconds is None:
            self.faults.append(f"processes live on after {when}: {marked(self.mark)}")
        return seconds


def run(folder: Path, types: Sequence[str], seed: int, group: Group | None) -> Found:
    """Run hostile jobs of these types, in this order, in a folder of its own."""
    play, dice = Play(folder, group), random.Random(seed)
    with ExitStack() as stack:
        stack.callback(end, play.mark)
        server = play.start()
        hostile = [play.hand_in(server, type) for type in types]
        play.feed_until(server, lambda: _have_ended(server), dice)
        harmless_left = play.wait_until(lambda: not _open(server))
        kills = 0 if group is None else group.kills
        code = server.stop()
        server.close()
        if code or harmless_left is None:
            play.faults.append(f"the node ended with code {code}; jobs were left: {harmless_left is None}")
        after_stop = play.gone("a stop")
        # read before the other node begins: what it leaves behind is not judged
        jobs, attempts = _attempts(folder / "jobs.db", hostile)
        log = read(play.log)
        after_kill = _kill_in_the_middle(play)
    return Found(jobs, attempts, log, kills, after_stop, after_kill, play.faults)


def _have_ended(server: Server) -> bool:
    """Whether every hostile job has ended."""
    states = "".join(f"&status={status}" for status in ("pending", "scheduled", "processing"))
    return not any(server.jobs(f"&queue={QUEUE}{states}"))


def _open(server: Server) -> int:
    """How many jobs have not ended."""
    _, _, counted = server.call("GET", "/metrics")
    return int(counted["jobs_pending"] + counted["jobs_scheduled"] + counted["jobs_in_progress"])


def _kill_in_the_middle(play: Play) -> float | None:
    """Another node, killed while its worker processes do what nobody can ask them to end."""
    server = play.start()
    # with time enough: they are to be killed, not to time out
    wanted = {play.hand_in(server, type, timeout=PATIENCE) for type in LINGERING}
    begun = play.wait_until(lambda: wanted <= {each.job for each in read(play.log) if each.what == "begin"})
    if begun is None:
        play.faults.append("the jobs to be killed have not begun")
    server.kill()
    server.close()
    return play.gone("a kill")


def _attempts(database: Path, ids: Sequence[str]) -> tuple[Sequence[Job], Mapping[str, Sequence[Attempt]]]:
    """Every job, and every run of some."""
    with Ferryman(f"sqlite:///{database}") as app:
        jobs = app._bridge.call(lambda client: client.list(JobFilter(limit=1_000_000)), "")
        return jobs, {id: app._bridge.call(partial(Client.attempts, id=id), "") for id in ids}
