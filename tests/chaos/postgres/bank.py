"""Two nodes and a producer on the database that has both jobs and money; what can be done to them and to the server."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ferryman import Ferryman
from ferryman.calls import Call
from ferryman.domain.errors import StoreBusy, StoreUnreachable
from ferryman.store.protocol import Counts
from tests.chaos.middle import DIE, STAY, Middle
from tests.chaos.postgres import moves
from tests.chaos.postgres.server import Server
from tests.chaos.process import ROOT
from tests.chaos.transfers import ACCOUNTS
from tests.postgres.proxy import Proxy

NODES: Final = 2
WORKERS: Final = 8
PATIENCE: Final = 120.0
TICK: Final = 0.05
COMMIT_SECONDS: Final = 5.0
"""How long to wait for a commit whose answer can be lost."""
STOP_SECONDS: Final = 60.0
KILLED: Final = -signal.SIGKILL


class Node:
    """`ferryman work` on our target."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        """Returns when it works."""
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ferryman", "work", moves.__file__],
                cwd=ROOT,
                env=dict(environ),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise RuntimeError(f"The node did not start:\n{log.read_text('utf-8')}")

    def end(self, how: signal.Signals) -> int:
        """Have it end, and wait for that; gives its exit code."""
        self.process.send_signal(how)
        return self.process.wait(STOP_SECONDS)

    def let_go(self) -> None:
        """After its end."""
        assert self.process.stdout is not None
        self.process.stdout.close()


class Bank:
    """The database, the nodes on it, and who hands jobs in."""

    def __init__(self, server: Server, proxy: Proxy, folder: Path, dice: random.Random) -> None:
        """Nodes reach the server through the proxy, the producer does not."""
        self.server = server
        self.dice = dice
        self.middle = Middle(folder)
        self.app = Ferryman(server.url)
        self.codes: list[int] = []
        """How nodes ended that nobody had killed."""
        self._proxy = proxy
        self._types = [self.app.job(name=name, max_attempts=100)(move) for name in ("transfer", "transfer_on_loop")]
        self._nodes: list[Node] = []
        self._environ = {**_environ(proxy.url(), folder), **self.middle.environ}
        self._log = folder / "nodes.log"
        self._never = threading.Event()
        self.harms: dict[str, Callable[[], bool]] = {
            "node killed in the middle": self._kill_in_the_middle,
            "node killed at any time": lambda: self._kill(1),
            "both nodes killed": lambda: self._kill(NODES),
            "server killed in the middle": lambda: self._stays() and self._without_server(0),
            "server killed at any time": lambda: self._without_server(0),
            "server and a node killed": lambda: self._without_server(1),
            "connections dropped in the middle": lambda: self._stays() and self._drop(),
            "commit unheard of": self._lose_answer,
        }
        """Every kind of harm, by its name: gives whether it was done, for its moment may not come."""

    # -- jobs ------------------------------------------------------------------------------------

    def transfer(self) -> Call[None]:
        """Some money from one account to another."""
        source, target = self.dice.sample(range(ACCOUNTS), 2)
        return self.dice.choice(self._types).call(source, target, self.dice.randrange(1, 100))

    def counts(self) -> Counts:
        """How many jobs there are and were; asked again where the server has just come back."""
        found: list[Counts] = []

        def answered() -> bool:
            try:
                found.append(self.app._bridge.call(lambda client: client.counts(), ""))
            except (StoreUnreachable, StoreBusy):
                return False
            return True

        if not self.wait_until(answered):
            raise TimeoutError("the server does not answer")
        return found[0]

    def left(self) -> int:
        """How many jobs have not ended."""
        return sum(self.counts().standing.values())

    def wait_until(self, so: Callable[[], bool]) -> bool:
        """Whether it comes to that in time."""
        until = time.monotonic() + PATIENCE
        while not so():
            if time.monotonic() >= until:
                return False
            self._never.wait(TICK)
        return True

    # -- nodes -----------------------------------------------------------------------------------

    def start_nodes(self) -> None:
        """Have as many as there should be."""
        while len(self._nodes) < NODES:
            self._nodes.append(Node(self._environ, self._log))

    def stop(self) -> None:
        """End every node in order."""
        for node in list(self._nodes):
            self._gone(node, node.end(signal.SIGTERM))

    def close(self) -> None:
        """Leave nothing running."""
        for node in list(self._nodes):
            node.end(signal.SIGKILL)
            self._gone(node, KILLED)
        self.app.close()
        self.middle.close()

    def _gone(self, node: Node, code: int) -> None:
        self._nodes.remove(node)
        node.let_go()
        if code not in (0, KILLED):
            self.codes.append(code)

    def _bury(self) -> bool:
        """See who has died, and start others; whether anybody has."""
        dead = [(node, code) for node in self._nodes if (code := node.process.poll()) is not None]
        for node, code in dead:
            self._gone(node, code)
        self.start_nodes()
        return bool(dead)

    # -- harm ------------------------------------------------------------------------------------

    def _kill_in_the_middle(self) -> bool:
        self.middle.order(DIE)
        self.wait_until(lambda: any(node.process.poll() is not None for node in self._nodes) or not self.left())
        self.middle.take_back()
        return self._bury()

    def _kill(self, count: int) -> bool:
        for node in self.dice.sample(self._nodes, count):
            node.end(signal.SIGKILL)
        return self._bury()

    def _stays(self) -> bool:
        """Have a handler stay in the middle of its transaction, and wait for it."""
        self.middle.order(STAY)
        stays = False

        def met() -> bool:
            nonlocal stays
            stays = self.middle.stays()
            return stays or not self.left()

        self.wait_until(met)
        self.middle.take_back()
        return stays

    def _without_server(self, nodes: int) -> bool:
        """The server is killed, and nodes while it is away, which come again with it."""
        with self.server.killed():
            for node in self.dice.sample(self._nodes, nodes):
                node.end(signal.SIGKILL)
        self._bury()
        return True

    def _drop(self) -> bool:
        self._proxy.drop()
        return True

    def _lose_answer(self) -> bool:
        """Something commits, and who asked for it never hears of that."""
        self._proxy.swallow_commits()
        heard = self._proxy.wait_for_commit(COMMIT_SECONDS)
        self._proxy.drop()
        self._proxy.thaw()
        return heard


def _environ(url: str, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FERRYMAN_", "DATABASE_URL"))}
    ours = {"DATABASE_URL": url, "WORKER_COUNT": str(WORKERS), "LOG_LEVEL": "error"}
    # lock files are there, by which a node knows of another one's death
    return kept | {f"FERRYMAN_{name}": value for name, value in ours.items()} | {"XDG_RUNTIME_DIR": str(folder)}


def move(source: int, target: int, amount: int) -> None:
    """Stands for the handlers of the nodes, which are other processes."""
