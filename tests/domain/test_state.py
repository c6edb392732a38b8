from __future__ import annotations

from itertools import product

import pytest

from ferryman.domain.errors import IllegalTransition
from ferryman.domain.state import EDGES, INITIAL, TERMINAL, Status, allowed, check, check_end

ROADS = {
    "waiting": "pending scheduled cancelled",
    "scheduled": "pending scheduled cancelled waiting",
    "pending": "processing scheduled cancelled",
    "processing": "completed failed cancelled scheduled pending waiting",
    "completed": "",
    "failed": "pending scheduled waiting",
    "cancelled": "pending scheduled waiting",
}
"""The design's section 2, said once more in words."""


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)), ids=str)
def test_the_table_has_exactly_the_edges_of_the_design(before: Status, after: Status) -> None:
    expected = after.value in ROADS[before.value].split()
    assert allowed(before, after) is expected
    if expected:
        check(before, after)
    else:
        with pytest.raises(IllegalTransition) as caught:
            check(before, after)
        assert before.value in str(caught.value)
        assert after.value in str(caught.value)


def test_the_refusal_says_what_would_be_allowed() -> None:
    with pytest.raises(IllegalTransition, match="may become: cancelled, processing, scheduled"):
        check(Status.PENDING, Status.COMPLETED)
    with pytest.raises(IllegalTransition, match="may become: nothing"):
        check(Status.COMPLETED, Status.PENDING)


def test_no_run_ends_by_saying_that_its_job_waits() -> None:
    for status in EDGES[Status.PROCESSING] - {Status.WAITING}:
        check_end(status)
    for status in (Status.WAITING, Status.PROCESSING):
        with pytest.raises(IllegalTransition):
            check_end(status)


def test_every_status_has_a_row_in_the_order_of_a_jobs_life() -> None:
    assert list(EDGES) == list(Status)


def test_jobs_rest_only_where_nothing_but_a_person_moves_them() -> None:
    back = {Status.PENDING, Status.SCHEDULED, Status.WAITING}
    assert {status for status in Status if EDGES[status] <= back} == TERMINAL
    assert not INITIAL & TERMINAL


def test_every_status_can_be_reached_from_where_jobs_enter() -> None:
    seen: set[Status] = set()
    ahead = set(INITIAL)
    while ahead:
        seen |= ahead
        ahead = {after for before in ahead for after in EDGES[before]} - seen
    assert seen == set(Status)


def test_every_job_that_moves_can_still_end() -> None:
    ending = set(TERMINAL)
    for _ in Status:
        ending |= {status for status in Status if EDGES[status] & ending}
    assert ending == set(Status)
