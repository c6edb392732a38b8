"""Turns: which claims go by age."""

from __future__ import annotations

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.job import ClaimedJob, Lane
from ferryman.engine.turns import Turns


def request(limit: int, *, by_age: bool = False) -> ClaimRequest:
    return ClaimRequest(1, 1, frozenset({"echo"}), None, limit, limit, True, by_age)


def batch(count: int, *, mixed: bool = True) -> Batch:
    lane = Lane("default", "echo", 5)
    jobs = [ClaimedJob(f"{n}", 1, 1, 0, 0, 1, lane, "{}", 5, None, 0, None, None, None, ()) for n in range(count)]
    return Batch(1, 0, jobs, mixed)


def test_one_job_is_owed_to_age_after_so_many_by_priority() -> None:
    turns = Turns(10)
    turns.claimed(request(9), batch(9))
    assert turns.owed == 0
    turns.claimed(request(9), batch(4))
    assert turns.owed == 1
    turns.claimed(request(1, by_age=True), batch(1))
    assert turns.owed == 0
    turns.claimed(request(9), batch(7))
    assert turns.owed == 1, "what was over counts"


def test_a_large_claim_owes_many() -> None:
    turns = Turns(10)
    turns.claimed(request(1000), batch(1000))
    assert turns.owed == 100
    turns.claimed(request(60, by_age=True), batch(60))
    assert turns.owed == 40


def test_nothing_is_owed_to_those_who_are_not_there() -> None:
    turns = Turns(10)
    turns.claimed(request(1000), batch(1000))
    turns.claimed(request(100, by_age=True), batch(3))
    assert turns.owed == 0


def test_where_there_is_one_priority_nothing_is_owed() -> None:
    turns = Turns(10)
    turns.claimed(request(1000), batch(1000, mixed=False))
    assert turns.owed == 0


def test_without_a_factor_nothing_is_owed() -> None:
    turns = Turns(0)
    turns.claimed(request(1000), batch(1000))
    assert turns.owed == 0
