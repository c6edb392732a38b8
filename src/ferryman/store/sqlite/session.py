"""What a verb works with inside one write transaction: statements, lanes, arrivals and tallies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final, TypeVar

import msgspec

from ferryman.domain.gates import Gate, Newest
from ferryman.domain.job import Lane
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.store.sqlite.statements import Connection, Statements, chunks, insert_rows

Decoded = TypeVar("Decoded")
encode: Final = msgspec.json.Encoder().encode
ChangeRow = tuple[str, int, int, str, str, int]
"""A change as the journal has it: (id, lane, claim number, what, status, at)"""
CHANGES: Final = 500
"""So many of them are a row of the journal, at most."""
RuleRow = tuple[Scope, str, int, int | None, float | None, int]
_rule_rows: Final = msgspec.json.Decoder(list[RuleRow])
_numbers: Final = msgspec.json.Decoder(frozenset[int])


class GateRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A gate as it is stored."""

    key: str
    gate: Gate
    due: int | None
    """When a token comes for those who wait."""


class Lanes:
    """Every lane by number and back; lanes are few and never change, so they are remembered."""

    def __init__(self) -> None:
        self.by_number: dict[int, Lane] = {}
        self.by_name: dict[tuple[str, str, int], int] = {}

    def learn(self, number: int, lane: Lane) -> None:
        """Remember one."""
        self.by_number[number] = lane
        self.by_name[lane.queue, lane.type, lane.priority] = number

    def forget(self) -> None:
        """Forget all, because a rolled-back transaction may have made some."""
        self.by_number.clear()
        self.by_name.clear()


class Rules:
    """All rules as of an edition, and the lanes whose keys take turns."""

    def __init__(self, edition: int, rows: Sequence[RuleRow], fair: frozenset[int]) -> None:
        self.edition = edition
        self.fair = fair
        self.rules = [
            Rule(scope, name, bool(paused), Limit(concurrency, rate, burst))
            for scope, name, paused, concurrency, rate, burst in rows
        ]


class Session:
    """One write transaction as the verbs see it.

    What the verbs of the transaction count, and what happens to jobs by them, is collected; `conclude` stores it once,
    before the commit.
    """

    def __init__(self, connection: Connection, statements: Statements) -> None:
        self.connection = connection
        self.statements = statements
        self.known = Lanes()
        self._rules: Rules | None = None
        self._edition = 0
        self.tallies: Counter[tuple[int, str]] = Counter()
        self.changes: list[Callable[[], list[ChangeRow]]] = []
        """What has happened to jobs; to be made only where somebody listens."""
        self.touched: dict[str, Newest | None] = {}
        """The keys whose gates the verb under way is to look at, each with the newest job that brings it a rule."""
        self.gates: dict[str, GateRow] = {}
        """Those that the verb under way has read."""
        self._last_arrival = 0

    def run(self, name: str, /, **parameters: object) -> int:
        """Execute a statement; gives the number of rows it changed."""
        return self.connection.execute(self.statements[name], parameters).rowcount

    def one(self, name: str, /, **parameters: object) -> tuple[Any, ...] | None:
        """The first row of a statement, or None."""
        row: tuple[Any, ...] | None = self.connection.execute(self.statements[name], parameters).fetchone()
        return row

    def document(self, name: str, into: msgspec.json.Decoder[Decoded], /, **parameters: object) -> Decoded:
        """Decode the one JSON document that a statement makes of all its rows.

        A row fetched is a step, and each step gives up the interpreter lock (see `insert_rows`).
        """
        return read_document(self.connection, self.statements[name], into, parameters)

    def insert(self, name: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert rows through a statement with one VALUES row."""
        insert_rows(self.connection, self.statements, name, rows)

    def count(self, lane: int, what: str, n: int = 1) -> None:
        """Note that `n` more jobs of a lane stand there, or that `n` such events happened."""
        self.tallies[lane, what] += n

    def conclude(self) -> None:
        """Write what was counted, and the journal where somebody listens."""
        counted = [(lane, what, n) for (lane, what), n in self.tallies.items() if n]
        until: int | None = None
        for size, chunk in chunks(counted):
            sql = self.statements.rows("add_tallies", size)
            until = self.connection.execute(sql, tuple(chain.from_iterable(chunk))).fetchall()[0][0]
        self.tallies.clear()
        if self.changes:
            if until is None:  # what was counted adds up to nothing
                (_, until, *_) = self.one("audience") or (0, 0)
            self._write_journal(until or 0)
            self.changes.clear()

    def _write_journal(self, until: int) -> None:
        if until:
            told = [row for rows in self.changes for row in rows() if row[-1] < until]
            parts = [told[start : start + CHANGES] for start in range(0, len(told), CHANGES)]
            self.insert("add_journal", [(part[-1][-1], encode(part).decode()) for part in parts])

    def abandon_all(self) -> None:
        """Forget the transaction, because it was rolled back."""
        self.tallies.clear()
        self.changes.clear()
        self.abandon()

    def lanes(self) -> Lanes:
        """All lanes, read again only when another process has made one."""
        newest, self._edition = self.one("newest") or (None, 0)
        if newest is not None and newest not in self.known.by_number:
            load_lanes(self.connection, self.statements, self.known)
        return self.known

    def rules(self) -> Sequence[Rule]:
        """All rules as `lanes` has found them, which comes first."""
        return self._as_of_edition().rules

    def fair(self) -> frozenset[int]:
        """The lanes whose keys take turns, likewise."""
        return self._as_of_edition().fair

    def _as_of_edition(self) -> Rules:
        """Read again only when somebody has changed one."""
        if self._rules is None or self._rules.edition != self._edition:
            rows = self.document("rules", _rule_rows)
            fair = self.document("fair_lanes", _numbers)
            self._rules = Rules(self._edition, rows, fair)
        return self._rules

    def forget(self) -> None:
        """Forget what was read, because a rolled-back transaction may have written it."""
        self.known.forget()
        self._rules = None

    def abandon(self) -> None:
        """Forget also what the verb under way was to look at, because it has failed."""
        self.forget()
        self.touched.clear()
        self.gates.clear()

    def lane(self, queue: str, type: str, priority: int) -> int:
        """The number of a lane, made if it is new."""
        number = self.known.by_name.get((queue, type, priority))
        if number is None:
            self.run("add_lane", queue=queue, type=type, priority=priority)
            load_lanes(self.connection, self.statements, self.known)
            number = self.known.by_name[queue, type, priority]
        return number

    def arrivals(self, lane: int, count: int, now: int) -> int:
        """The first of `count` new places at the end of a lane.

        An arrival is the time in microseconds, or the next free number after the lane's last: so it
        orders the lane whatever the clock does, and says how long its first job has been ready.
        """
        row = self.one("last_arrival", lane=lane)
        first = max(now, self._last_arrival + 1, row[0] + 1 if row else 0)
        self._last_arrival = first + count - 1
        return first


def read_document(
    connection: Connection, sql: str, into: msgspec.json.Decoder[Decoded], parameters: dict[str, object]
) -> Decoded:
    """Run a statement that gives one JSON text, and decode it."""
    (text,) = connection.execute(sql, parameters).fetchone()
    return into.decode(text)


LaneRows = list[tuple[int, str, str, int]]
_lane_rows: Final = msgspec.json.Decoder(LaneRows)


def load_lanes(connection: Connection, statements: Statements, known: Lanes) -> None:
    """Read every lane."""
    for number, queue, type, priority in read_document(connection, statements["lanes"], _lane_rows, {}):
        known.learn(number, Lane(queue, type, priority))
