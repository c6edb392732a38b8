"""Two nodes and a producer on the file that has both jobs and money; what can be done to them."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from unittest import mock

from ferryman import Ferryman
from ferryman.calls import Call
from ferryman.store.protocol import Counts
from ferryman.testing.serving import Server
from tests.chaos import transfers
from tests.chaos.middle import DIE, Middle
from tests.chaos.transfers import ACCOUNTS, SLOW

WORKERS: Final = 4
NAPS: Final = 3
"""So many times the longest time that a transaction may last, a slow handler sleeps in it."""
PATIENCE: Final = 120.0
TICK: Final = 0.02


class Bank:
    """The file, the nodes on it, and who hands jobs in."""

    def __init__(self, folder: Path, limit: float, dice: random.Random) -> None:
        """`limit` is TRANSACTION_TIMEOUT, in seconds."""
        self.database = folder / "jobs.db"
        self.limit = limit
        self.dice = dice
        self.nodes: list[Server] = []
        self.app = Ferryman(f"sqlite:///{self.database}")
        self._types = [self.app.job(name=name, max_attempts=100)(move) for name in ("transfer", "transfer_on_loop")]
        self._slow = [self.app.job(name=name, max_attempts=1)(sleep) for name in SLOW]
        self.middle = Middle(folder)
        self._never = threading.Event()

    def start_node(self) -> None:
        """One more node."""
        settings = {"WORKER_COUNT": WORKERS, "TRANSACTION_TIMEOUT": self.limit, "LOG_LEVEL": "error"}
        with mock.patch.dict(os.environ, self.middle.environ):
            self.nodes.append(Server(Path(transfers.__file__), self.database, settings))

    def transfer(self) -> Call[None]:
        """Some money from one account to another."""
        source, target = self.dice.sample(range(ACCOUNTS), 2)
        return self.dice.choice(self._types).call(source, target, self.dice.randrange(1, 100))

    def naps(self) -> Iterator[Call[None]]:
        """One slow job of each kind."""
        return (job.call(NAPS * self.limit) for job in self._slow)

    def counts(self) -> Counts:
        """How many jobs there are and were."""
        return self.app._bridge.call(lambda client: client.counts(), "")

    def left(self) -> int:
        """How many jobs have not ended."""
        return sum(self.counts().standing.values())

    def order(self) -> None:
        """Have the next node die that comes to the middle of a transaction."""
        self.middle.order(DIE)

    def carried_out(self) -> bool:
        """Wait for a death that was ordered, and start another node. False: no transaction came by to die in."""
        self.wait_until(lambda: bool(self._dead() or not self.left()))
        if not self._dead():
            self.middle.take_back()
        return self._replace()

    def kill(self, how: str) -> bool:
        """End one node, or both, and start others. False where no transaction came by in whose middle to die."""
        if how == "in the middle":
            self.order()
            return self.carried_out()
        for node in self.nodes if how == "both" else [self.dice.choice(self.nodes)]:
            node.kill()
        return self._replace()

    def _replace(self) -> bool:
        dead = self._dead()
        for node in dead:
            self._let_go(node)
            self.start_node()
        return bool(dead)

    def _dead(self) -> list[Server]:
        return [node for node in self.nodes if node.process.poll() is not None]

    def wait_until(self, so: Callable[[], bool]) -> bool:
        """Whether it comes to that in time."""
        until = time.monotonic() + PATIENCE
        while not so():
            if time.monotonic() >= until:
                return False
            self._never.wait(TICK)
        return True

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self._never.wait(seconds)

    def stop(self) -> list[int]:
        """End every node in order; gives their exit codes."""
        codes = [node.stop() for node in self.nodes]
        for node in list(self.nodes):
            self._let_go(node)
        return codes

    def close(self) -> None:
        """Leave nothing running."""
        for node in list(self.nodes):
            node.kill()
            self._let_go(node)
        self.app.close()
        self.middle.close()

    def _let_go(self, node: Server) -> None:
        self.nodes.remove(node)
        node.close()


def move(source: int, target: int, amount: int) -> None:
    """Stands for the handlers of the nodes, which are other processes."""


def sleep(seconds: float) -> None:
    """Stands for the slow ones."""
