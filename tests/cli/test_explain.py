"""`ferryman jobs explain`."""

from __future__ import annotations

from ferryman.cli.jobs.explain import lines
from ferryman.domain.explain import Explanation
from ferryman.domain.job import MICROS
from ferryman.domain.limits import Limit, Scope
from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop


async def held_back(bench: Bench) -> tuple[str, str]:
    """A job that runs, and one that its limit keeps from it."""
    await bench.store.limit(Scope.TYPE, "echo", Limit(1))
    return (await bench.start()).id, await bench.add()


def test_the_first_condition_that_does_not_hold_is_said_first(shop: Shop) -> None:
    runs, waits = shop.one(held_back)
    result = shop.call("jobs", "explain", waits)
    first, *rest = result.out.splitlines()
    nobody = "No node lives. `ferryman serve` or `ferryman work` starts one."
    assert (result.code, first) == (0, f"{waits} is pending. {nobody}")
    assert rest == [
        "  + Queue default is not paused.",
        "  + Type echo is not paused.",
        f"  - {nobody}",
        f"  - Type echo runs 1 of at most 1: {runs}.",
        "  + It is the next of its queue.",
    ]
    assert shop.call("jobs", "explain", waits, "--json").json["conditions"][3]["name"] == "limit of type echo"
    assert shop.call("jobs", "explain", runs).out.startswith(f"{runs} is processing. It runs on node ")


def test_the_start_of_a_job_is_told_where_it_is_known(shop: Shop) -> None:
    assert lines(Explanation(id="j", status=Status.SCHEDULED, summary="Soon.", estimated_start=MICROS)) == [
        "j is scheduled. Soon.",
        "It may start at 1970-01-01T00:00:01.000000Z.",
    ]


def test_a_job_that_is_not_there_is_exit_1(shop: Shop) -> None:
    shop.do()
    result = shop.call("jobs", "explain", "01890a5d-ac96-774b-bcce-b302099a8057")
    assert (result.code, result.out) == (1, "")
    assert "FM404" in result.err
