"""What the campaign on PostgreSQL says of itself, and how it knows that everybody is at work."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import pytest

from ferryman.testing.history import History
from ferryman.testing.history.entries import AnyEntry, Ended, Killed, Registered, Rescued, Spawned, Started
from ferryman.testing.history.history import Final
from tests.chaos import __main__ as entrance
from tests.chaos.fleet import Slot
from tests.chaos.journal import NEMESIS, Journal
from tests.chaos.postgres import program
from tests.chaos.postgres.campaign import FleetCampaign
from tests.chaos.postgres.recoveries import Recovery
from tests.chaos.postgres.sweeps import Sweep
from tests.chaos.postgres.troubles import EVERYBODY, Trouble
from tests.chaos.postgres.working import Working
from tests.chaos.process import Process
from tests.chaos.report import page


def campaign(sweeps: list[Sweep]) -> FleetCampaign:
    entries: list[AnyEntry] = [
        Spawned(at=0.0, by=NEMESIS, process="a.1"),
        Spawned(at=0.0, by=NEMESIS, process="b.1"),
        Registered(at=0.1, by="a.1", node="n1", number=1),
        Registered(at=0.1, by="b.1", node="n2", number=2),
        Killed(at=2.0, by=NEMESIS, process="a.1", during="running"),
        Rescued(at=4.0, by="b.1", node="n1", count=3),
        Rescued(at=4.1, by="b.1", node="", count=1),
    ]
    troubles = [Trouble("slow", EVERYBODY, 1.0, 1.5)]
    history = History(entries=entries, final=Final(jobs={}, attempts={}))
    return FleetCampaign(history, troubles, sweeps, "18.6", [], Counter(FM218=2))


SWEPT = [Sweep(1.0, "a.1", "rescue"), Sweep(2.5, "b.1", "rescue")]
OPTIONS = argparse.Namespace(store="postgres", pooler=False, seed=1, duration=60.0, breakages=[])


def test_the_figures_tell_who_rescued_whom_and_how_soon_all_was_well() -> None:
    told = program._told(OPTIONS, "abc", campaign(SWEPT), 0, [Recovery("slow", 1.5, 2.0, "b.1")])
    assert told["rescuers"] == {"b for a": 1}
    assert told["recoveries"] == {"slow": {"times": 1, "measured": 1, "median": 2.0, "worst": 2.0}}
    assert (told["hand_overs"], told["hand_over_worst"], told["rescued"]) == (1, 0.5, 4)
    assert (told["server"], told["answers"]) == ("18.6", {"FM218": 2})


def test_the_page_has_a_table_of_the_recoveries_and_names_the_troubles() -> None:
    found = campaign(SWEPT)
    told = program._told(OPTIONS, "abc", found, 0, [Recovery("slow", 1.5, 2.0, "b.1")])
    text = page(told, found.history.entries, [(1.0, 1.5)], [], ["slow"])
    assert "times 1, measured 1, median 2.0, worst 2.0" in text
    assert "<title>slow</title>" in text
    assert "</svg> trouble<" in text


def test_what_did_not_happen_often_enough_is_told() -> None:
    few = program._missing(campaign(SWEPT), 600.0)
    assert "only 1 times slow, of 5 that are wanted" in few
    assert "only 1 deaths while running, of 5 that are wanted" in few
    assert "no chore was handed over" not in few
    assert "no chore was handed over" in program._missing(campaign([]), 60.0)
    assert not any("slow" in each for each in program._missing(campaign(SWEPT), 60.0))


def test_without_a_pooler_it_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "available", lambda: None)
    assert entrance.main(["--store", "postgres", "--pooler"]) == 3
    assert "apt-get install pgbouncer" in capsys.readouterr().err


class Standing(Process):
    """A process that is only said to be there."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def usable(self) -> bool:
        return True


def test_everybody_is_at_work_once_each_has_started_something_or_is_gone(tmp_path: Path) -> None:
    slots = [Slot(name, "m", process=Standing(f"{name}.1")) for name in ("a", "b")]
    one, two = Journal(tmp_path, "a.1"), Journal(tmp_path, "b.1")
    for journal in (one, two):
        journal.note(Started, job="j", number=1, attempt=1, node="n")
    well = Working(slots, tmp_path).watch()
    assert not well()
    one.note(Started, job="k", number=1, attempt=1, node="n")
    two.note(Ended, job="l", number=1, how="returned")
    assert not well()
    slots[1].process = Standing("b.2")
    assert well()
