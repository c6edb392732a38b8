"""What is done to the server and to the connections, each for a while, by name."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

from tests.chaos.postgres.pooler import Pooler
from tests.chaos.postgres.server import Server
from tests.chaos.postgres.troubles import EVERYBODY, Troubles
from tests.postgres.proxy import Proxy

LOCKS: Final = (
    "SELECT 1 FROM ferryman.node WHERE ended_at IS NULL ORDER BY number LIMIT 1 FOR UPDATE",
    "SELECT 1 FROM ferryman.claim FOR UPDATE",
    "SELECT 1 FROM ferryman.ready FOR UPDATE",
    "LOCK TABLE ferryman.ready IN ACCESS EXCLUSIVE MODE",
    "LOCK TABLE ferryman.key IN EXCLUSIVE MODE",
)
"""What somebody else may hold for a while: rows, or the migration of a careless person."""
SHORT: Final = (0.5, 3.0)
LONG: Final = (11.0, 14.0)
"""Seconds for which something is wrong; the long ones are longer than a lease."""
LONG_SHARE: Final = 0.2
RESTART: Final = (0.0, 1.5)
DELAY: Final = (0.01, 0.1)
"""Seconds that each chunk is late on a slow line."""
STATEMENT_MILLISECONDS: Final = (1, 3, 10)
COMMIT_SECONDS: Final = 5.0
"""How long to wait for a commit whose answer can be swallowed."""
OCCUPY_EVERY: Final = 0.5


@dataclass(frozen=True)
class Way:
    """All that is between a process and its jobs."""

    server: Server
    proxies: Mapping[str, Proxy]
    """By place, what its processes reach the server through, or the pooler."""
    pooler: Pooler | None = None


WaitUntil = Callable[[Callable[[], bool], float], bool]


class Harm:
    """Does harm to the server, or to the connections of some processes. Each is over when the call returns."""

    def __init__(
        self,
        way: Way,
        troubles: Troubles,
        dice: random.Random,
        wait_until: WaitUntil,
        meanwhile: Callable[[], None],
    ) -> None:
        """Args:
        wait_until: lets time pass until something is so, or for so many seconds.
        meanwhile: does something to a process while there is trouble.
        """
        self._server, self._proxies, self._pooler = way.server, way.proxies, way.pooler
        self._troubles = troubles
        self._dice = dice
        self._wait_until = wait_until
        self._meanwhile = meanwhile
        server = way.server
        self.kinds: dict[str, Callable[[], None]] = {
            "server killed": lambda: self._without_server("server killed", server.killed),
            "server stopped": lambda: self._without_server("server stopped", server.stopped),
            "server stopped at once": lambda: self._without_server("server stopped at once", server.stopped_at_once),
            "sessions terminated": self._terminate,
            "too many connections": self._occupy,
            "locks held": self._lock,
            "statements timed out": self._time_out,
            "read-only": self._read_only,
            "connections dropped": self._drop,
            "connections cut": self._cut,
            "half-open": self._freeze,
            "half-open, then dropped": self._freeze_and_drop,
            "slow": self._delay,
            "replies swallowed": self._swallow,
        }
        """Every kind of harm, by its name."""
        if way.pooler is not None:
            self.kinds["pooler killed"] = self._kill_pooler

    # -- the server ------------------------------------------------------------------------------

    def _without_server(self, name: str, gone: Callable[[], AbstractContextManager[None]]) -> None:
        with self._troubles.lasting(name), gone():
            self._last(self._dice.uniform(*(LONG if self._dice.random() < LONG_SHARE / 2 else RESTART)))

    def _terminate(self) -> None:
        with self._troubles.lasting("sessions terminated"):
            self._server.terminate()

    def _occupy(self) -> None:
        with self._troubles.lasting("too many connections"), self._server.occupied() as again:
            for _ in range(round(self._seconds() / OCCUPY_EVERY)):
                self._last(OCCUPY_EVERY)
                again()

    def _lock(self) -> None:
        with self._troubles.lasting("locks held"), self._server.locked(self._dice.choice(LOCKS)):
            self._last(self._seconds())

    def _time_out(self) -> None:
        value = str(self._dice.choice(STATEMENT_MILLISECONDS))
        with self._troubles.lasting("statements timed out"), self._server.set_to("statement_timeout", value):
            self._last(self._dice.uniform(*SHORT))

    def _read_only(self) -> None:
        with self._troubles.lasting("read-only"), self._server.set_to("default_transaction_read_only", "on"):
            self._last(self._seconds())

    # -- the way to it ---------------------------------------------------------------------------

    def _drop(self) -> None:
        with self._some("connections dropped") as proxies:
            for proxy in proxies:
                proxy.drop()

    def _cut(self) -> None:
        with self._some("connections cut") as proxies:
            for proxy in proxies:
                proxy.cut()
            self._last(self._seconds())
            for proxy in proxies:
                proxy.restore()

    def _freeze(self) -> None:
        with self._some("half-open") as proxies:
            for proxy in proxies:
                proxy.freeze()
            self._last(self._seconds())
            for proxy in proxies:
                proxy.thaw()

    def _freeze_and_drop(self) -> None:
        """A firewall that forgot us, and then says so."""
        with self._some("half-open, then dropped") as proxies:
            for proxy in proxies:
                proxy.freeze()
            self._last(self._seconds())
            for proxy in proxies:
                proxy.drop()
                proxy.thaw()

    def _delay(self) -> None:
        with self._some("slow") as proxies:
            for proxy in proxies:
                proxy.delay(self._dice.uniform(*DELAY))
            self._last(self._seconds())
            for proxy in proxies:
                proxy.delay(0.0)

    def _swallow(self) -> None:
        """Something commits, and who asked for it never hears of that."""
        with self._some("replies swallowed") as proxies:
            for proxy in proxies:
                proxy.swallow_commits()
            self._wait_until(lambda: all(proxy.wait_for_commit(0.0) for proxy in proxies), COMMIT_SECONDS)
            for proxy in proxies:
                proxy.drop()
                proxy.thaw()

    def _kill_pooler(self) -> None:
        assert self._pooler is not None
        with self._troubles.lasting("pooler killed"):
            self._pooler.kill()
            self._last(self._dice.uniform(*RESTART))
            self._pooler.start()

    # -- parts -----------------------------------------------------------------------------------

    @contextmanager
    def _some(self, name: str) -> Generator[Sequence[Proxy]]:
        """One place has the trouble, or two, or all have it."""
        count = self._dice.choice([1, 1, 2, len(self._proxies)])
        slots = self._dice.sample(sorted(self._proxies), count)
        everybody = count == len(self._proxies)
        with self._troubles.lasting(name, EVERYBODY if everybody else slots):
            yield [self._proxies[slot] for slot in slots]

    def _seconds(self) -> float:
        return self._dice.uniform(*(LONG if self._dice.random() < LONG_SHARE else SHORT))

    def _last(self, seconds: float) -> None:
        """Let the trouble last; in the midst of it something may happen to a process."""
        until = self._dice.uniform(0.0, seconds)
        self._wait_until(lambda: False, until)
        self._meanwhile()
        self._wait_until(lambda: False, seconds - until)
