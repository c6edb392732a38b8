"""What is made of the numbers of a store."""

from __future__ import annotations

from ferryman.store.counting import Counts, Tallied


def test_of_each_queue_it_is_known_how_many_have_ended() -> None:
    tallied = {
        ("mail", "send"): Tallied({}, {"created": 9, "completed": 2, "failed": 1, "retried": 5}),
        ("mail", "greet"): Tallied({}, {"cancelled": 4}),
        ("idle", "send"): Tallied({}, {"created": 1}),
    }
    assert Counts(tallied, {}).ended == {"mail": 7}
