"""The lines of one store: verbs of the engine have connections of their own, so that nothing else delays them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from ferryman.store.postgres.connections import ENGINE, INSERTS, Line
from ferryman.store.postgres.own import Connect
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.target import Target

ENGINE_SECONDS: Final = 8.0
"""For so long a statement of the engine may take: less than a lease."""
INSERT_SECONDS: Final = 1.8
PEOPLE_SECONDS: Final = 30.0
BEAT_SECONDS: Final = 2.0


class Lines:
    """One for each purpose."""

    def __init__(
        self, target: Target, statements: Statements, connect: Connect, *, on_claims: Callable[[], None]
    ) -> None:
        """Make the lines; nothing is connected yet.

        Args:
            connect: makes a connection.
            on_claims: called when the claims have a new connection.
        """
        line = partial(Line, target, statements, connect=connect)
        self.claims = line(size=1, seconds=ENGINE_SECONDS, setting_up=ENGINE, on_connect=on_claims)
        self.finishes = line(size=1, seconds=ENGINE_SECONDS, setting_up=ENGINE)
        self.inserts = line(size=4, seconds=INSERT_SECONDS, setting_up=INSERTS)
        self.chores = line(size=2, seconds=PEOPLE_SECONDS, setting_up=ENGINE)
        self.people = line(size=4, seconds=PEOPLE_SECONDS, setting_up=ENGINE)
        self.rings = line(size=1, seconds=BEAT_SECONDS)
        self.beats = line(size=1, seconds=BEAT_SECONDS)
        """For another loop than the others: `Beats` opens and closes it there."""

    async def open(self) -> None:
        """Be ready to connect. Idempotent."""
        for line in self._of_this_loop():
            await line.open()

    async def close(self) -> None:
        """Let go of every connection. Idempotent."""
        for line in self._of_this_loop():
            await line.close()

    def abandon(self) -> None:
        """Forget the connections: they are those of the process that forked this one."""
        for line in (*self._of_this_loop(), self.beats):
            line.abandon()

    def ring(self) -> Line:
        """Where to ring: at best over a connection that an insert has just used, since it and its server are awake."""
        return self.inserts if self.inserts.is_idle else self.rings

    def _of_this_loop(self) -> tuple[Line, ...]:
        return self.claims, self.finishes, self.inserts, self.chores, self.people, self.rings
