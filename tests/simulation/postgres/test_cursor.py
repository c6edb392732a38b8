"""The cursor of a lane: nothing that is committed behind it is lost, and nothing is looked at twice."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from tests.simulation.postgres.cursor import LAST, Cursor, Key, Snapshot


def seeing(xmax: int, *running: int) -> Snapshot:
    return Snapshot(xmax, frozenset(running))


def covered(cursor: Cursor, keys: Iterable[Key]) -> list[Key]:
    return [key for key in keys if cursor.covers(key)]


def test_a_new_cursor_has_seen_nothing() -> None:
    assert Cursor().covers((1, 1))


def test_a_look_that_saw_all_leaves_what_was_in_progress_and_what_had_not_begun() -> None:
    cursor = Cursor().moved(seeing(8, 5), None)
    assert covered(cursor, [(4, 1), (5, 2), (6, 3), (7, 4), (8, 5), (9, 6)]) == [(5, 2), (8, 5), (9, 6)]


def test_a_gap_stays_until_a_snapshot_has_seen_its_end() -> None:
    cursor = Cursor().moved(seeing(8, 5), None)
    still = cursor.moved(seeing(12, 5), None)
    assert covered(still, [(5, 2), (11, 3)]) == [(5, 2)]
    ended = still.moved(seeing(12), None)
    assert covered(ended, [(5, 2), (11, 3)]) == []


def test_a_look_that_was_cut_within_what_is_new_goes_on_from_there() -> None:
    cursor = Cursor().moved(seeing(9, 3, 7), (6, 2))
    assert cursor == Cursor((6, 2), {3: 0})
    assert covered(cursor, [(3, 1), (4, 1), (6, 2), (6, 3), (7, 1)]) == [(3, 1), (6, 3), (7, 1)]


def test_a_look_that_was_cut_within_a_gap_leaves_the_rest_of_it_and_the_later_gaps() -> None:
    cursor = Cursor((9, LAST), {2: 0, 4: 0, 5: 0, 7: 0}).moved(seeing(20, 2), (5, 30))
    assert cursor == Cursor((9, LAST), {2: 0, 5: 30, 7: 0})
    assert covered(cursor, [(4, 1), (5, 30), (5, 31), (7, 1), (9, 40)]) == [(5, 31), (7, 1)]


def test_a_job_of_its_own_transaction_takes_the_position_no_further_than_the_snapshot() -> None:
    cursor = Cursor().moved(seeing(5, 3), (7, 1))
    assert cursor == Cursor((4, LAST), {3: 0})
    assert covered(cursor, [(3, 1), (5, 1), (6, 1), (7, 2)]) == [(3, 1), (5, 1), (6, 1), (7, 2)]


def test_the_rest_of_a_gap_goes_once_it_was_seen() -> None:
    rest = Cursor((9, LAST), {5: 30})
    assert rest.moved(seeing(20), None).gaps == {}
    assert rest.moved(seeing(20, 12), (15, 1)) == Cursor((15, 1), {12: 0})


class Line:
    """A lane, with transactions of up to four jobs that begin in order and end in any, and a node that looks."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.running: dict[int, list[Key]] = {}
        self.pending: list[Key] = []
        self.found: list[Key] = []
        self.cursor = Cursor()
        self._begun = 0
        self._ended = 0

    def begin(self) -> int:
        self._begun += 1
        self.running[self._begun] = [(self._begun, 10 * self._begun + each) for each in range(self.dice.randrange(5))]
        return self._begun

    def commit(self, xid: int) -> None:
        self.pending.extend(self.running[xid])
        self.end(xid)

    def end(self, xid: int) -> None:
        del self.running[xid]
        self._ended = max(self._ended, xid)

    def look(self, limit: int, own: int | None = None) -> None:
        """Take what the cursor lets it see; the jobs of its own transaction, too."""
        snapshot = Snapshot(self._ended + 1, frozenset(xid for xid in self.running if xid <= self._ended))
        if own is not None:
            self.pending.extend(self.running[own])
            self.running[own] = []
        seen = covered(self.cursor, sorted(self.pending))[:limit]
        self.found.extend(seen)
        self.pending = [key for key in self.pending if key not in seen]
        self.cursor = self.cursor.moved(snapshot, seen[-1] if len(seen) == limit else None)

    def step(self) -> None:
        dice = self.dice
        way = dice.choices(("begin", "commit", "roll back", "look", "ride along"), (8, 4, 1, 5, 2))[0]
        if way == "begin":
            self.begin()
        elif way == "look":
            self.look(dice.choice((1, 2, 10)))
        elif way == "ride along":
            own = self.begin()
            self.look(dice.choice((1, 2, 10)), own)
            self.end(own)
        elif self.running:
            xid = dice.choice(sorted(self.running))
            self.commit(xid) if way == "commit" else self.end(xid)


@pytest.mark.parametrize("seed", range(200))
def test_each_job_is_found_once_whatever_is_committed_when(seed: int) -> None:
    line = Line(seed)
    for _ in range(60):
        line.step()
    for xid in sorted(line.running):
        line.commit(xid)
    expected = sorted(line.found + line.pending)
    for _ in range(len(expected) + 1):
        line.look(2)
    assert line.pending == []
    assert sorted(line.found) == expected
