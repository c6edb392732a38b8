"""A claim: it looks and takes, others pass by what it has taken, and later it commits, or never."""

from __future__ import annotations

from collections.abc import Mapping

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.job import Lane
from ferryman.domain.limits import Bounds
from ferryman.testing.history import entries
from tests.simulation.postgres.connection import Connection, at_once
from tests.simulation.postgres.line import Look, look


class Claiming:
    """One claim over a connection."""

    def __init__(self, connection: Connection, request: ClaimRequest, now: int) -> None:
        self._connection = connection
        self._server = connection.server
        self._request = request
        self._now = now
        self._cursors = connection.cursors
        self._anew = False
        self._gaps = 0
        self._look = Look([], {}, [], [], 0)
        self._found: tuple[Mapping[int, Lane], Bounds] | None = None

    def look(self) -> list[str]:
        """The statement: gives the jobs that it takes. A batch that is open already is only read."""
        tables, snapshot = self._server.memory.tables, self._server.snapshot()
        if self._request.batch in tables.claims:
            return []
        self._anew = self._server.loop.time() >= self._connection.rescan_at
        self._found = lanes, bounds = self._server.memory.allowing(self._request, self._now)
        self._look = look(
            tables, self._request, lanes, bounds, self._cursors, snapshot, self._server.locked, anew=self._anew
        )
        self._gaps = self._server.bringing(xid for xid in snapshot.running if xid < self._look.past)
        return [row.job.id for row in self._look.rows]

    def look_and_take(self) -> Batch:
        """Both at once, as it commits."""
        self.look()
        return self.take()

    def take(self) -> Batch:
        """Its effect, as it commits."""
        memory = self._server.memory
        memory.tables.chosen = self._look.rows
        memory.ruling.found = self._found
        try:
            batch = at_once(memory.claim(self._request, self._now))
        finally:
            memory.ruling.found = None  # also where the node is not live any more
        self._note()
        return batch

    def _note(self) -> None:
        notes, who = self._server.notes, self._connection.process
        run = {"node": self._request.node, "batch": self._request.batch}
        if self._gaps:
            notes.note(entries.Passed, who, **run, running=self._gaps)
        if self._look.gaps:
            notes.note(entries.Found, who, **run, jobs=self._look.gaps, how="gap")
        if self._look.overlooked:
            notes.note(entries.Found, who, **run, jobs=self._look.overlooked, how="rescan")

    def answered(self) -> None:
        """The node has the answer, and goes on from there, unless the connection was lost at that very moment."""
        if self._connection.cursors is self._cursors:
            self._connection.cursors.update(self._look.cursors)
            if self._anew:
                self._connection.rescanned()
