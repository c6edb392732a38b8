"""P13, P14, P15: stops, the dead and the living."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ferryman.testing.history import Terms
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer

both = pytest.mark.parametrize("exact", [True, False], ids=["exact", "not exact"])
TYPES = frozenset({"mail"})


def begin(*, exact: bool = True, **terms: float) -> Writer:
    writer = Writer(exact=exact, terms=Terms(types=TYPES, **terms))  # type: ignore[arg-type]
    writer.spawn("p1")
    writer.spawn("p2")
    writer.enqueue()
    return writer


def stop(writer: Writer, code: int = 0, unwritten: int = 0) -> None:
    writer.note(e.Stopped, "p1", process="p1", code=code, unwritten=unwritten)


# -- P13 ---------------------------------------------------------------------------------------------


@both
def test_a_stop_that_lets_runs_end_and_gives_back_what_never_started(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.enqueue("b")
    writer.claim("a", "b")
    writer.start("a")
    writer.note(e.Stopping, "p1", process="p1")
    writer.write("b", "released", "pending", token=0)
    writer.end("a", "cut off")
    writer.write("a", "interrupted", "pending")
    stop(writer)
    writer.run("a", process="p2")
    writer.run("b", process="p2")
    assert writer.broken() == []


@pytest.mark.parametrize(
    ("exact", "by", "found"), [(True, "nemesis", ["P13"]), (False, "p1", ["P13"]), (False, "nemesis", [])]
)
def test_a_process_that_stops_and_asks_for_jobs(exact: bool, by: str, found: list[str]) -> None:
    """A signal travels: where a history is not exact it counts from when the process has it."""
    writer = begin(exact=exact)
    writer.note(e.Stopping, by, process="p1")
    writer.run()
    assert writer.broken() == found


def test_a_claim_that_is_under_way_when_the_stop_comes() -> None:
    writer = begin()
    writer.note(e.Claiming, "p1", call=90, node=1, batch=90, idle=1)
    writer.note(e.Stopping, process="p1")
    writer.claimed(90, "a")
    writer.write("a", "released", "pending", token=0)
    stop(writer)
    writer.run(process="p2")
    assert writer.broken() == []


def test_a_claim_that_is_said_again_during_the_stop_because_its_answer_failed() -> None:
    writer = begin()
    writer.note(e.Claiming, "p1", call=90, node=1, batch=90, idle=1)
    writer.note(e.Stopping, process="p1")
    writer.note(e.Claiming, "p1", call=91, node=1, batch=90, idle=1)
    assert "P13" not in writer.broken()
    writer.note(e.Claiming, "p1", call=92, node=1, batch=92, idle=1)
    assert "P13" in writer.broken()


def test_a_handler_that_starts_after_the_stop() -> None:
    writer = begin()
    writer.claim("a")
    stop(writer, code=4)
    writer.start()
    writer.end()
    writer.write()
    assert writer.broken() == ["P13"]


@both
def test_a_run_that_is_left_open(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.claim("a")
    writer.start()
    stop(writer)
    writer.rescue("a")
    writer.run(process="p2")
    assert writer.broken() == ["P13"]


def test_a_run_that_is_left_open_for_ever() -> None:
    writer = begin()
    writer.claim("a")
    writer.start()
    stop(writer)
    assert writer.broken() == ["P2", "P13"]


@both
@pytest.mark.parametrize(("code", "unwritten"), [(1, 0), (0, 2)])
def test_a_stop_that_owns_up_may_leave_runs_open(exact: bool, code: int, unwritten: int) -> None:
    writer = begin(exact=exact)
    writer.claim("a")
    writer.start()
    stop(writer, code, unwritten)
    writer.rescue("a")
    writer.run(process="p2")
    assert writer.broken() == []


@both
def test_a_node_that_was_taken_for_dead_before_the_stop_leaves_nothing_open(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.claim("a")
    writer.note(e.Paused, process="p1")
    writer.rescue("a")
    writer.note(e.Resumed, process="p1")
    stop(writer)
    writer.run(process="p2")
    assert writer.broken() == []


@pytest.mark.parametrize("faulted", [True, False])
def test_a_claim_that_the_node_never_heard_of_and_could_not_look_for(faulted: bool) -> None:
    writer = begin()
    writer.claim("a", reply=False)
    writer.note(e.Stopping, process="p1")
    if faulted:
        writer.note(e.Faulted, process="p1", verb="open_batches", kind="before")
    stop(writer)
    writer.rescue("a")
    writer.run(process="p2")
    assert writer.broken() == ([] if faulted else ["P13"])


# -- P14 ---------------------------------------------------------------------------------------------

REASONS: list[Callable[[Writer], object]] = [
    lambda writer: writer.note(e.Killed, process="p1"),
    lambda writer: writer.note(e.Stopping, process="p1"),
    lambda writer: writer.note(e.Paused, process="p1"),
    lambda writer: writer.note(e.Paused, process="p1", loop_only=True),
    lambda writer: writer.note(e.Faulted, process="p1", verb="beat", kind="before"),
]


@both
@pytest.mark.parametrize("reason", REASONS)
def test_a_node_may_be_found_dead_for_a_reason(exact: bool, reason: Callable[[Writer], object]) -> None:
    writer = begin(exact=exact)
    writer.run(process="p2")
    reason(writer)
    writer.rescue()
    assert writer.broken() == []


NO_REASONS: list[Callable[[Writer], object]] = [
    lambda writer: writer.note(e.Stepped, seconds=3600.0),
    lambda writer: writer.note(e.Killed, process="p2"),
    lambda writer: writer.note(e.Faulted, process="p1", verb="finish", kind="before"),
    lambda writer: [writer.note(e.Rescued, "p2", node="n1", count=0), writer.note(e.Killed, process="p1")],
]


@both
@pytest.mark.parametrize("reason", NO_REASONS)
def test_a_node_that_lives_is_found_dead(exact: bool, reason: Callable[[Writer], object]) -> None:
    writer = begin(exact=exact)
    writer.run(process="p2")
    reason(writer)
    writer.rescue()
    assert writer.broken() == ["P14"]
    assert writer.violations()[0].nodes == ("n1",)


@both
def test_a_freeze_that_is_long_over(exact: bool) -> None:
    writer = begin(exact=exact, lease=10.0)
    writer.run(process="p2")
    writer.note(e.Paused, process="p1")
    writer.note(e.Resumed, process="p1")
    writer.at += 30.0
    writer.rescue()
    assert writer.broken() == (["P14"] if exact else [])


# -- P15 ---------------------------------------------------------------------------------------------


def kill_in_calm_weather(writer: Writer) -> None:
    writer.note(e.Calm)
    writer.claim("a")
    writer.start()
    writer.note(e.Killed, process="p1")


@both
@pytest.mark.parametrize(("after", "found"), [(2.0, []), (4.0, ["P15"])])
def test_how_soon_the_killed_are_rescued(exact: bool, after: float, found: list[str]) -> None:
    writer = begin(exact=exact, rescue_within=4.0)
    kill_in_calm_weather(writer)
    writer.at += after
    writer.rescue("a")
    writer.run(process="p2")
    assert writer.broken() == found


@both
def test_the_killed_are_never_rescued(exact: bool) -> None:
    writer = begin(exact=exact, rescue_within=4.0)
    kill_in_calm_weather(writer)
    writer.at += 10.0
    writer.row("a", "lost", "pending")
    writer.run(process="p2")
    assert writer.broken() == (["P15"] if exact else [])


EXCUSES: list[Callable[[Writer], object]] = [
    lambda writer: writer.note(e.Killed, process="p2"),
    lambda writer: writer.note(e.Stopping, process="p2"),
    lambda writer: writer.note(e.Paused, process="p2"),
]


@pytest.mark.parametrize("excuse", EXCUSES)
def test_nobody_was_there_to_rescue(excuse: Callable[[Writer], object]) -> None:
    writer = begin(rescue_within=4.0)
    writer.spawn("p3", 3)
    excuse(writer)
    writer.entries = [each for each in writer.entries if getattr(each, "node", "") != "n3"]
    kill_in_calm_weather(writer)
    writer.at += 10.0
    writer.register("p3", 3)
    writer.rescue("a", by="p3")
    writer.run(process="p3")
    assert writer.broken() == []


def test_faults_may_delay_a_rescue() -> None:
    writer = begin(rescue_within=4.0)
    writer.claim("a")
    writer.note(e.Killed, process="p1")
    writer.at += 10.0
    writer.note(e.Calm)
    writer.rescue("a")
    writer.run(process="p2")
    assert writer.broken() == []
