"""How many jobs a node holds ready."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.job import MICROS
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.engine.prefetch import LONG, MOST, Prefetch
from tests.engine.world import claimed_job


def run(micros: int) -> Finish:
    """One that took so long."""
    return decide(claimed_job(), Outcome(What.DONE), Run(1, 1, 0), micros)


def cycle(prefetch: Prefetch, at: float, ended: int, each: float, *, trip: float, starved: bool = False) -> None:
    """A claim asked for at a time, after so many runs that took so long each."""
    prefetch.ended([run(round(each * MICROS))] * ended)
    prefetch.claimed(at, at + trip, starved=starved)


def test_nothing_is_held_before_anything_is_known() -> None:
    assert (Prefetch(10).count, Prefetch(10).trip) == (0, 0)


def test_it_holds_twice_what_ends_in_a_round_trip() -> None:
    prefetch = Prefetch(10)
    for number in range(30):
        cycle(prefetch, 0.02 * number, 400, 0.00001, trip=0.01)
    assert 190 <= prefetch.trip <= 200
    assert prefetch.count in (2 * prefetch.trip, 2 * prefetch.trip + 1)


def test_long_runs_that_end_together_are_not_taken_for_a_rate() -> None:
    prefetch = Prefetch(10)
    cycle(prefetch, 0.0, 0, 0, trip=0.002)
    for number in range(1, 30):
        cycle(prefetch, 0.002 * number, 10, 1.0, trip=0.002)
        assert prefetch.count == 0
    cycle(prefetch, 1.0, 10, 0.1, trip=0.002)
    assert prefetch.count == 0, "0.1 s on ten workers: 0.2 of them end in 2 ms"


def test_long_runs_are_never_held_whatever_the_round_trip() -> None:
    prefetch = Prefetch(1000)
    for number in range(30):
        cycle(prefetch, number * 2.0, 1000, LONG, trip=1.0, starved=True)
    assert prefetch.count == 0


def test_it_doubles_while_workers_wait_for_claims_that_come_back_full() -> None:
    prefetch = Prefetch(10)
    counts = []
    ended = 10
    for number in range(8):
        cycle(prefetch, 0.011 * number, ended, 0.00001, trip=0.01, starved=True)
        ended = 10 + prefetch.count
        counts.append(prefetch.count)
    assert counts == sorted(counts)
    assert counts[-1] > 500


def test_it_forgets_when_nothing_ends() -> None:
    prefetch = Prefetch(10)
    for number in range(10):
        cycle(prefetch, 0.02 * number, 400, 0.00001, trip=0.01)
    assert prefetch.count > 0
    for number in range(10, 30):
        cycle(prefetch, 0.02 * number, 0, 0, trip=0.01)
    assert prefetch.count == 0


def test_a_wall_clock_that_goes_back_does_no_harm() -> None:
    prefetch = Prefetch(10)
    prefetch.ended([run(-5 * MICROS)] * 10)
    prefetch.claimed(0.0, 0.0, starved=False)
    prefetch.ended([run(-5 * MICROS)] * 10)
    prefetch.claimed(0.0, 0.0, starved=True)
    assert prefetch.count == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.floats(0, 100), st.floats(0, 10), st.floats(0, 10), st.booleans()),
        max_size=50,
    )
)
def test_it_stays_within_its_bounds(cycles: list[tuple[int, float, float, float, bool]]) -> None:
    prefetch, at = Prefetch(10), 0.0
    for ended, each, trip, wait, starved in cycles:
        at += wait
        cycle(prefetch, at, ended, each, trip=trip, starved=starved)
        at += trip
        assert 0 <= prefetch.trip <= prefetch.count <= 2 * MOST
