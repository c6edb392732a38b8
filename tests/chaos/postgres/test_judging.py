"""What is read from a history of the campaign on PostgreSQL: recoveries, the order of claims, who did the chores."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from ferryman.testing.history import Violation
from ferryman.testing.history.entries import (
    Answered,
    AnyEntry,
    Asked,
    Claimed,
    ClaimedRun,
    Claiming,
    Killed,
    Paused,
    Registered,
    Rescued,
    Resumed,
    Spawned,
    Started,
    Stopped,
)
from tests.chaos.journal import NEMESIS
from tests.chaos.postgres.order import conclusive
from tests.chaos.postgres.recoveries import (
    FROZEN,
    KILLED,
    NEVER,
    Recoveries,
    Recovery,
    after_deaths,
    after_troubles,
    late,
    summary,
)
from tests.chaos.postgres.sweeps import HandOver, Sweep, Sweeps, hand_overs, read
from tests.chaos.postgres.troubles import EVERYBODY, Trouble, Troubles, end_of


def born(process: str, number: int) -> list[AnyEntry]:
    return [
        Spawned(at=0.0, by=NEMESIS, process=process),
        Registered(at=0.1, by=process, node=f"n{number}", number=number),
        started(0.5, process),
    ]


def started(at: float, by: str) -> AnyEntry:
    return Started(at=at, by=by, job="j", number=1, attempt=1, node="n")


def accepted(asked: float, answered: float, job: str = "j") -> list[AnyEntry]:
    return [
        Asked(at=asked, by="c", request=job, job=None, type="t", queue="q", priority=5, max_attempts=1),
        Answered(at=answered, by="c", request=job, job=job, verdict="accepted"),
    ]


def killed(at: float, process: str) -> AnyEntry:
    return Killed(at=at, by=NEMESIS, process=process)


BOTH = [*born("a.1", 1), *born("b.1", 2)]
TROUBLE = Trouble("cut", EVERYBODY, 1.0, 2.0)


def of(found: Sequence[Recovery]) -> list[tuple[float, str]]:
    return [(each.seconds, each.what) for each in found]


# -- after troubles --------------------------------------------------------------------------------------


def test_all_is_well_once_each_process_that_lived_through_it_has_started_something() -> None:
    entries = [*BOTH, *accepted(2.1, 2.2), started(2.5, "a.1"), started(3.5, "b.1")]
    assert of(list(after_troubles(entries, [TROUBLE]))) == [(1.5, "b.1")]


def test_and_an_enqueue_that_was_asked_for_since_then_is_accepted() -> None:
    entries = [*BOTH, *accepted(1.9, 2.1, "i"), *accepted(2.1, 6.0), started(2.5, "a.1"), started(3.5, "b.1")]
    assert of(list(after_troubles(entries, [TROUBLE]))) == [(4.0, "an enqueue")]


def test_only_those_count_who_had_the_trouble() -> None:
    entries = [*BOTH, *accepted(2.1, 2.2), started(2.5, "a.1"), started(3.5, "b.1")]
    mine = Trouble("cut", frozenset({"a"}), 1.0, 2.0)
    assert of(list(after_troubles(entries, [mine]))) == [(0.5, "a.1")]


@pytest.mark.parametrize(
    "harm",
    [killed(1.5, "b.1"), Stopped(at=2.5, by=NEMESIS, process="b.1", code=0), Paused(at=2.5, by=NEMESIS, process="b.1")],
)
def test_a_process_that_something_else_is_done_to_is_left_out(harm: AnyEntry) -> None:
    entries = [*BOTH, *accepted(2.1, 2.2), started(2.25, "a.1"), harm]
    assert of(list(after_troubles(entries, [TROUBLE]))) == [(0.25, "a.1")]


def test_but_not_if_it_had_been_idle_for_too_long_by_then() -> None:
    entries = [*BOTH, *accepted(2.1, 2.2), started(2.5, "a.1"), killed(18.0, "b.1")]
    assert of(list(after_troubles(entries, [TROUBLE]))) == [(16.0, "b.1")]


@pytest.mark.parametrize("early", [killed(0.9, "b.1"), Resumed(at=0.9, by=NEMESIS, process="b.1")])
def test_what_was_done_before_is_over(early: AnyEntry) -> None:
    entries = [*BOTH, early, *accepted(2.1, 2.2), started(2.5, "a.1"), started(2.75, "b.1")]
    ((seconds, _),) = of(list(after_troubles(entries, [TROUBLE])))
    assert seconds == (0.5 if isinstance(early, Killed) else 0.75)


def test_a_trouble_that_the_next_one_follows_too_soon_tells_nothing() -> None:
    entries = [*BOTH, *accepted(2.1, 2.2), *accepted(6.0, 6.0, "i"), started(5.5, "a.1"), started(5.5, "b.1")]
    following = Trouble("slow", EVERYBODY, 3.0, 4.0)
    found = list(after_troubles(entries, [following, TROUBLE]))
    assert [(each.name, each.seconds) for each in found] == [("slow", 2.0)]


def test_unless_it_was_too_late_already() -> None:
    following = Trouble("slow", EVERYBODY, 20.0, NEVER)
    found = list(
        after_troubles([*BOTH, *accepted(2.1, 2.2), killed(99.0, "a.1"), killed(99.0, "b.1")], [TROUBLE, following])
    )
    assert (found[0].name, found[0].seconds) == ("cut", 18.0)


def test_where_nothing_comes_back_it_takes_for_ever() -> None:
    assert of(list(after_troubles(BOTH, [TROUBLE]))) == [(NEVER, "b.1")]
    assert of(list(after_troubles([], [TROUBLE]))) == [(NEVER, "an enqueue")]


# -- after deaths ----------------------------------------------------------------------------------------


def rescued(at: float, node: str) -> AnyEntry:
    return Rescued(at=at, by="b.1", node=node, count=1)


def test_the_claims_of_the_dead_come_back() -> None:
    (found,) = after_deaths([*BOTH, killed(1.0, "a.1"), rescued(11.0, "n1")], [])
    assert (found.name, found.seconds) == (KILLED, 10.0)


def test_while_the_rescuer_has_trouble_nobody_waits_for_it() -> None:
    troubles = [Trouble("cut", frozenset({"b"}), 5.0, 9.0), Trouble("cut", frozenset({"c"}), 5.0, 10.0)]
    (found,) = after_deaths([*BOTH, killed(1.0, "a.1"), rescued(11.0, "n1")], troubles)
    assert found.seconds == 2.0


def test_the_frozen_are_taken_for_dead() -> None:
    pause = Paused(at=1.0, by=NEMESIS, process="a.1")
    (found,) = after_deaths([*BOTH, pause, rescued(11.5, "n1"), rescued(12.0, "n2")], [])
    assert (found.name, found.seconds) == (FROZEN, 10.5)


def test_figures_of_recoveries() -> None:
    troubles = [TROUBLE, Trouble("slow", EVERYBODY, 3.0, 4.0)]
    found = [Recovery("cut", 2.0, 1.0, "a"), Recovery("cut", 2.0, 16.0, "b"), Recovery(KILLED, 1.0, 2.0, "c")]
    assert summary(found, troubles) == {
        KILLED: Recoveries(1, 1, 2.0, 2.0),
        "cut": Recoveries(1, 2, 8.5, 16.0),
        "slow": Recoveries(1, 0, None, None),
    }
    (told,) = late(found)
    assert "cut" in told
    assert "16.00 s" in told


# -- troubles --------------------------------------------------------------------------------------------


def test_a_trouble_lasts_from_before_until_after_even_if_it_could_not_be_made() -> None:
    troubles = Troubles()
    with suppress(OSError), troubles.lasting("cut", ["a"]):
        assert troubles.since(NEVER)
        raise OSError
    (trouble,) = troubles.all
    assert trouble.began <= trouble.ended
    assert troubles.since(trouble.ended)
    assert not troubles.since(trouble.ended + 1.0)
    assert (trouble.concerns("a"), trouble.concerns("b")) == (True, False)


def test_the_end_of_the_last_trouble_that_a_place_had() -> None:
    troubles = [TROUBLE, Trouble("cut", frozenset({"a"}), 3.0, 4.0)]
    assert [end_of(troubles, "a", 1.5, 9.0), end_of(troubles, "b", 1.5, 9.0), end_of(troubles, "a", 5.0, 9.0)] == [
        4,
        2,
        5,
    ]


# -- order -----------------------------------------------------------------------------------------------

PASSED = Violation("P12", "j was passed", ("j", "k"))


def claim(at: float, job: str) -> list[AnyEntry]:
    run = ClaimedRun(job, 1, 1, 1, 0)
    return [
        Claiming(at=at, by="a.1", call=1, node=1, batch=1, idle=1),
        Claimed(at=at, by="a.1", call=1, node=1, batch=1, runs=[run]),
    ]


@pytest.mark.parametrize(
    ("entries", "troubles", "kept"),
    [
        ([], [], True),
        ([killed(1.5, "b.1")], [], False),
        ([killed(0.5, "b.1")], [], True),
        ([Paused(at=1.5, by=NEMESIS, process="b.1")], [], False),
        ([], [TROUBLE], False),
        ([], [Trouble("cut", EVERYBODY, 0.1, 0.9)], True),
    ],
)
def test_order_is_judged_where_nothing_failed(entries: list[AnyEntry], troubles: list[Trouble], kept: bool) -> None:
    whole = [*accepted(1.0, 1.1), *entries, *claim(2.0, "j")]
    other = Violation("P4", "twice", ("j",))
    assert list(conclusive([PASSED, other], whole, troubles)) == ([PASSED, other] if kept else [other])


# -- chores ----------------------------------------------------------------------------------------------


def test_chores_are_written_down(tmp_path: Path) -> None:
    one, two = Sweeps(tmp_path, "a.1"), Sweeps(tmp_path, "b.1")
    one.note("rescue")
    two.note("promote")
    one.note("promote")
    assert [(each.by, each.chore) for each in read(tmp_path)] == [
        ("a.1", "rescue"),
        ("b.1", "promote"),
        ("a.1", "promote"),
    ]


def test_a_line_that_a_kill_cut_off_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.1.sweeps").write_text("1.5 rescue\n2.5 resc", "utf-8")
    assert read(tmp_path) == [Sweep(1.5, "a.1", "rescue")]


def test_a_chore_goes_over_from_whoever_did_it_last() -> None:
    sweeps = [Sweep(1.0, "b.1", "rescue"), Sweep(2.0, "a.1", "rescue"), Sweep(2.0, "b.1", "promote")]
    later = [Sweep(3.5, "b.1", "rescue"), Sweep(3.6, "b.1", "promote")]
    assert hand_overs([killed(3.0, "a.1")], [*sweeps, *later]) == [HandOver("rescue", "a.1", "b.1", 0.5)]
    assert hand_overs([killed(3.0, "a.1")], sweeps) == []
