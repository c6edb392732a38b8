"""The cursor: what a node has looked at, and what it has not."""

from __future__ import annotations

from ferryman.store.postgres.cursor import LAST, LAST_ID, START, Cursor, Key, Span

ONE, TWO = 1, 2
ID = "0194-a"


def head(lane: int, after: Key) -> Span:
    return Span(lane, after, LAST)


def looked(cursor: Cursor, lanes: list[int], left: list[Span], next_xid: int, running: list[int]) -> None:
    cursor.looked(lanes, cursor.look(lanes), left, next_xid, running)


def test_a_node_begins_at_the_front_of_every_lane() -> None:
    look = Cursor().look([ONE, TWO])
    assert look.spans == [head(ONE, START), head(TWO, START)]
    assert look.gaps == []


def test_what_was_looked_at_to_its_end_is_not_looked_at_again_but_for_what_was_in_progress() -> None:
    cursor = Cursor()
    looked(cursor, [ONE], [], 100, [97, 99])
    look = cursor.look([ONE, TWO])
    assert look.spans == [head(ONE, Key(99, LAST, LAST_ID)), head(TWO, START)]
    assert look.gaps == [97, 99]


def test_a_gap_that_ended_is_forgotten_once_it_was_looked_at() -> None:
    cursor = Cursor()
    looked(cursor, [ONE], [], 100, [97, 99])
    looked(cursor, [ONE], [], 105, [99, 103])
    assert cursor.look([ONE]).gaps == [99, 103]


def test_a_lane_that_was_not_looked_at_keeps_its_gaps() -> None:
    cursor = Cursor()
    looked(cursor, [ONE, TWO], [], 100, [97])
    looked(cursor, [ONE], [], 105, [])
    assert cursor.look([ONE]).gaps == []
    assert cursor.look([ONE, TWO]).gaps == [97]


def test_a_look_that_was_cut_by_its_limit_goes_on_where_it_ended() -> None:
    cursor = Cursor()
    rest = Span(ONE, Key(97, 5, ID), 97)
    looked(cursor, [ONE, TWO], [head(ONE, Key(98, 3, ID)), rest], 100, [])
    look = cursor.look([ONE, TWO])
    assert look.spans == [head(ONE, Key(98, 3, ID)), rest, head(TWO, Key(99, LAST, LAST_ID))]


def test_a_new_session_begins_anew() -> None:
    cursor = Cursor()
    looked(cursor, [ONE], [], 100, [97])
    cursor.forget()
    assert cursor.look([ONE]).spans == [head(ONE, START)]
    assert cursor.passed() == []


def test_what_was_left_behind_is_looked_at_up_to_the_position() -> None:
    cursor = Cursor()
    looked(cursor, [ONE], [], 100, [])
    assert cursor.passed() == [(ONE, Key(99, LAST, LAST_ID))]
    cursor.left_behind(ONE, 40, 7)
    assert cursor.look([ONE]).spans[1:] == [Span(ONE, Key(40, 6, LAST_ID), 99)]


def test_what_will_be_looked_at_anyway_is_not_left_behind() -> None:
    cursor = Cursor()
    cursor.left_behind(ONE, 40, 7)
    looked(cursor, [ONE], [head(ONE, Key(30, 1, ID))], 100, [])
    cursor.left_behind(ONE, 40, 7)
    assert cursor.look([ONE]).spans == [head(ONE, Key(30, 1, ID))]
    looked(cursor, [ONE], [], 100, [])
    cursor.left_behind(ONE, 40, 7)
    cursor.left_behind(ONE, 41, 1)
    assert len(cursor.look([ONE]).spans) == 2


def test_what_was_left_behind_and_is_found_during_a_look_stays() -> None:
    cursor = Cursor()
    looked(cursor, [ONE], [], 100, [])
    look = cursor.look([ONE])
    cursor.left_behind(ONE, 40, 7)
    cursor.looked([ONE], look, [], 105, [])
    assert cursor.look([ONE]).spans[1:] == [Span(ONE, Key(40, 6, LAST_ID), 99)]
    looked(cursor, [ONE], [], 106, [])
    assert len(cursor.look([ONE]).spans) == 1


def test_rows_of_ones_own_transaction_lead_the_cursor_past_nobody() -> None:
    """They have a number that the snapshot does not reach; transactions in between may commit later."""
    cursor = Cursor()
    looked(cursor, [ONE], [head(ONE, Key(120, 3, ID))], 100, [97])
    assert cursor.look([ONE]).spans == [head(ONE, Key(99, LAST, LAST_ID))]
