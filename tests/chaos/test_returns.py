"""How soon claims came back, and how soon workers: read from what processes noted."""

from __future__ import annotations

from pathlib import Path

from ferryman.testing.history.entries import AnyEntry, Killed, Registered, Rescued, Spawned, Stopping
from tests.chaos.journal import NEMESIS
from tests.chaos.returns import Return, returns, summary
from tests.chaos.sightings import read, slots


def family(at: float, parent: str, *children: str) -> list[AnyEntry]:
    """A supervisor begins, and its node processes; each of them has a node, half a second later."""
    names = [f"{parent}-{child}" for child in children]
    spawned: list[AnyEntry] = [Spawned(at=at, by=NEMESIS, process=name) for name in (parent, *names)]
    nodes = enumerate(names, start=round(at * 10))
    return spawned + [Registered(at=at + 0.5, by=name, node=f"node of {name}", number=number) for number, name in nodes]


def killed(at: float, process: str) -> AnyEntry:
    return Killed(at=at, by=NEMESIS, process=process, during="running")


def rescued(at: float, process: str, count: int) -> AnyEntry:
    return Rescued(at=at, by="somebody", node=f"node of {process}", count=count)


def test_where_the_supervisor_lives_the_time_counts_from_the_death() -> None:
    entries = [*family(0, "s.1", "a"), killed(5, "s.1-a"), rescued(5.25, "s.1-a", 3)]
    assert returns(entries) == (1, [Return("s.1-a", "running", 3, 0.25, 0.25)])
    found = summary(*returns(entries))
    assert (found.worst, found.family_dead, found.claims, found.late) == (0.25, 0, 3, [])


def test_where_all_have_died_it_counts_from_the_first_new_node_process() -> None:
    deaths = [killed(5, "s.1"), killed(5, "s.1-a"), killed(5, "s.1-b")]
    entries = [*family(0, "s.1", "a", "b"), *deaths, *family(7, "s.2", "c"), rescued(7.5, "s.1-a", 1)]
    assert returns(entries) == (2, [Return("s.1-a", "running", 1, 2.5, 0.5)])
    found = summary(*returns(entries))
    assert (found.worst, found.family_dead_worst, found.from_restart_worst) == (None, 2.5, 0.5)


def test_a_sibling_that_stops_is_nobody_to_wait_for_but_may_do_it_before_it_ends() -> None:
    deaths = [killed(5, "s.1"), killed(5, "s.1-a"), Stopping(at=5.1, by=NEMESIS, process="s.1-b")]
    entries = [*family(0, "s.1", "a", "b"), *deaths, rescued(5.5, "s.1-a", 1), *family(7, "s.2", "c")]
    assert returns(entries) == (2 - 1, [Return("s.1-a", "running", 1, 0.5, 0.0)])


def test_what_takes_longer_than_a_second_with_somebody_there_is_told() -> None:
    entries = [*family(0, "s.1", "a", "b"), killed(5, "s.1-a"), rescued(6.5, "s.1-a", 1)]
    assert summary(*returns(entries)).late == [
        "the claims of s.1-a, killed while running, were given back after 1.50 s"
    ]


def test_who_held_nothing_or_had_no_node_is_left_out() -> None:
    entries = [*family(0, "s.1", "a", "b"), killed(5, "s.1-a"), rescued(5.1, "s.1-a", 0), killed(6, "s.1")]
    assert returns(entries) == (1, [])
    assert summary(*returns(entries)).median is None


def test_a_worker_is_back_when_it_begins_its_next_run(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "10.0 w1 a 1 ignores begin\n"
        "10.0 w1 a 1 ignores until:11.0\n"
        "10.5 w2 b 1 hogs begin\n"
        "11.5 w2 b 1 hogs alive\n"
        "11.75 w2 c 1 waits begin\n"
        "16.5 w1 b 2 hogs begin\n"
    )
    assert slots(read(log), ("ignores", "hogs", "quits")) == {"ignores": [5.5], "hogs": [0.25], "quits": []}
