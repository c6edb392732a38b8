"""Journals become one history: in the order of time, with deaths and looks in their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ferryman.testing.history.entries import AnyEntry, Calm, Ended, Killed, Looked, Replied, Spawned, to_line
from tests.chaos.journal import MICROS, NEMESIS, Journal, merge, read


def spawned(at: float, process: str) -> AnyEntry:
    return Spawned(at=at, by=NEMESIS, process=process)


def replied(at: float, by: str) -> AnyEntry:
    return Replied(at=at, by=by, call=1)


def looked(at: float, asked: float) -> AnyEntry:
    return Looked(at=at, by="client", asked=round(asked * MICROS), job="j", status="pending", attempt=0, claim=0)


def names(entries: list[AnyEntry]) -> list[str]:
    return [type(entry).__name__ for entry in entries]


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "a.1")
    journal.note(Spawned, by=NEMESIS, at=1.0, process="a.1")
    journal.note(Replied, at=2.0, call=7)
    journal.close()
    assert read(tmp_path) == [spawned(1.0, "a.1"), Replied(at=2.0, by="a.1", call=7)]


def test_entries_are_stamped_with_a_clock_that_only_grows(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "a.1")
    for call in range(100):
        journal.note(Replied, call=call)
    journal.close()
    entries = read(tmp_path)
    assert [entry.call for entry in entries if isinstance(entry, Replied)] == list(range(100))
    assert {entry.by for entry in entries} == {"a.1"}


def test_a_line_that_a_kill_cut_off_is_dropped(tmp_path: Path) -> None:
    whole, cut = to_line(replied(1.0, "a.1")), to_line(replied(2.0, "a.1"))
    (tmp_path / "a.1.journal").write_bytes(whole + cut[:20])
    assert read(tmp_path) == [replied(1.0, "a.1")]


def test_what_is_no_journal_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.1.log").write_text("a traceback\n")
    assert read(tmp_path) == []


def test_journals_are_put_in_the_order_of_time() -> None:
    mine, other = [replied(1.0, "a.1"), replied(3.0, "a.1")], [replied(2.0, "b.1")]
    assert merge([mine, other]) == [mine[0], other[0], mine[1]]


def test_a_death_stands_after_the_last_line_of_the_dead() -> None:
    """It is noted before it comes: other threads of the process may write a line in between."""
    killed = Killed(at=1.0, by=NEMESIS, process="a.1", during="running")
    own: list[AnyEntry] = [killed, replied(1.5, "a.1")]
    rescuer: list[AnyEntry] = [replied(1.2, "b.1"), replied(9.0, "b.1")]
    assert names(merge([own, rescuer])) == ["Replied", "Replied", "Killed", "Replied"]


def test_a_death_after_the_last_line_stays_where_it_is() -> None:
    killed = Killed(at=2.0, by=NEMESIS, process="a.1")
    assert merge([[replied(1.0, "a.1")], [killed]])[-1] == killed


def test_a_look_says_at_which_place_it_began() -> None:
    before, after = replied(1.0, "a.1"), replied(2.0, "a.1")
    entries = merge([[before, after], [looked(3.0, asked=1.5)]])
    last = entries[-1]
    assert isinstance(last, Looked)
    assert last.asked == 1


def test_all_kinds_of_entries_can_be_merged() -> None:
    ended: dict[str, Any] = {"job": "j", "number": 1, "how": "returned", "result": "1"}
    entries: list[AnyEntry] = [Ended(at=1.0, by="a.1", **ended), Calm(at=2.0, by=NEMESIS)]
    assert merge([entries]) == entries
