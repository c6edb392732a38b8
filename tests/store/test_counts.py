"""What is made of the numbers of a store."""

from __future__ import annotations

from ferryman.domain.state import Status
from ferryman.store.counting import Counts, Tallied


def test_of_each_queue_it_is_known_how_many_have_ended() -> None:
    tallied = {
        ("mail", "send"): Tallied({}, {"created": 9, "completed": 2, "failed": 1, "retried": 5}),
        ("mail", "greet"): Tallied({}, {"cancelled": 4}),
        ("idle", "send"): Tallied({}, {"created": 1}),
    }
    assert Counts(tallied, {}).ended == {"mail": 7}


def test_of_some_queues_only_theirs_are_counted() -> None:
    mail, idle = Tallied({Status.PENDING: 2}, {"created": 2}), Tallied({Status.PENDING: 1}, {"created": 1})
    counts = Counts({("mail", "send"): mail, ("idle", "send"): idle}, {"mail": 5, "idle": 7})
    within = counts.within(frozenset({"mail", "nowhere"}))
    assert (within.tallied, within.oldest_pending) == ({("mail", "send"): mail}, {"mail": 5})
    assert counts.within(None) is counts
