"""What a campaign says of itself: figures, gaps, the page, and where it cannot be run."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from ferryman.domain.job import Attempt
from ferryman.domain.state import Status
from ferryman.testing.history import History
from ferryman.testing.history.entries import (
    IN_FLIGHT,
    Answered,
    AnyEntry,
    Calm,
    Ended,
    Killed,
    Paused,
    Resumed,
    Spawned,
    Started,
    Stopped,
    Stopping,
    Wrote,
)
from ferryman.testing.history.history import Final
from tests.chaos import __main__ as program
from tests.chaos import disk
from tests.chaos.figures import Figures, figures, missing
from tests.chaos.journal import NEMESIS
from tests.chaos.report import page
from tests.chaos.timeline import Timeline
from tests.testing.histories import Writer


def started(at: float, by: str, job: str = "j", number: int = 1) -> AnyEntry:
    return Started(at=at, by=by, job=job, number=number, attempt=number, node="n")


def killed(at: float, process: str, during: str | None = None) -> AnyEntry:
    return Killed(at=at, by=NEMESIS, process=process, during=during)


def row(number: int, what: str, status: Status, node: str | None = "n") -> Attempt:
    none: dict[str, Any] = {"error": None, "started_at": None, "worker_id": None}
    return Attempt(number=number, what=what, status=status, attempt=number, finished_at=0, node=node, **none)


LOST = row(1, "lost", Status.PENDING)
DONE = row(2, "done", Status.COMPLETED)


def history(*entries: AnyEntry, rows: Sequence[Attempt] = (LOST, DONE)) -> History:
    """A history whose one job, j, is in the store and has not ended, whatever the rows of its runs say."""
    writer = Writer()
    writer.ask("j")
    writer.store("j")
    return History(entries=list(entries), final=Final(jobs=writer.jobs, attempts={"j": rows}))


def test_a_recovery_is_from_a_death_to_the_next_start_of_a_job_that_it_cut_off() -> None:
    found = figures(history(started(1.0, "a.1"), killed(2.0, "a.1"), started(2.5, "b.1", number=2)))
    assert (found.cut_off, found.recovery_median, found.recovery_worst) == (1, 0.5, 0.5)
    assert found.calm_recovery_worst is None
    assert (found.starts, found.most_starts) == (2, 2)


def test_a_job_that_had_ended_is_not_cut_off() -> None:
    ended = Ended(at=1.5, by="a.1", job="j", number=1, how="returned")
    found = figures(history(started(1.0, "a.1"), ended, killed(2.0, "a.1"), started(2.5, "b.1", number=2)))
    assert (found.cut_off, found.recovery_worst) == (0, None)


@pytest.mark.parametrize(
    "rows",
    [
        [row(1, "lost", Status.FAILED), row(2, "retried", Status.PENDING, None), row(3, "done", Status.COMPLETED)],
        [LOST, row(2, "cancelled", Status.CANCELLED, None), row(3, "retried", Status.PENDING, None)],
        [row(1, "done", Status.COMPLETED)],
    ],
    ids=["its attempts were spent", "somebody cancelled it", "its outcome was written already"],
)
def test_a_job_that_does_not_run_again_by_itself_recovers_from_nothing(rows: list[Attempt]) -> None:
    entries = [started(1.0, "a.1"), killed(2.0, "a.1"), started(60.0, "b.1", number=3)]
    found = figures(history(*entries, rows=rows))
    assert (found.cut_off, found.recovery_worst) == (1, None)


def test_recoveries_in_the_calm_are_told_apart() -> None:
    entries = [started(1.0, "a.1"), Calm(at=1.5, by=NEMESIS), killed(2.0, "a.1"), started(2.2, "b.1", number=2)]
    assert figures(history(*entries)).calm_recovery_worst == 0.2


def test_deaths_are_counted_by_what_was_in_flight() -> None:
    found = figures(history(killed(1.0, "a.1", "flushing"), killed(2.0, "a.2", "flushing"), killed(3.0, "b.1")))
    assert found.deaths == {**dict.fromkeys(IN_FLIGHT, 0), "flushing": 2, "at any time": 1}


def test_fenced_writes_pauses_and_stops_are_counted() -> None:
    found = figures(
        history(
            Wrote(at=1.0, by="a.1", call=1, node=1, fenced=[("j", 1), ("k", 1)], cancelled=[]),
            Paused(at=2.0, by=NEMESIS, process="a.1"),
            Paused(at=3.0, by=NEMESIS, process="b.1", loop_only=True),
            Stopped(at=4.0, by=NEMESIS, process="a.1", code=0),
        )
    )
    assert (found.fenced, found.pauses, found.blocked_loops, found.stops) == (2, 1, 1, {"0": 1})


def test_an_accepted_job_that_is_not_in_the_store_is_lost() -> None:
    there = Answered(at=1.0, by="c", request="r", job="j", verdict="accepted")
    gone = Answered(at=1.0, by="c", request="s", job="k", verdict="accepted")
    found = figures(history(there, gone))
    assert (found.accepted, found.lost, found.stuck) == (2, 1, 1)


@pytest.mark.parametrize(("duration", "wanted"), [(600.0, 5), (240.0, 2), (60.0, 1), (5.0, 1)])
def test_each_class_of_deaths_has_to_occur(duration: float, wanted: int) -> None:
    found = figures(history())
    enough = msgspec.structs.replace(found, deaths=dict.fromkeys(IN_FLIGHT, wanted))
    short = msgspec.structs.replace(found, deaths=dict.fromkeys(IN_FLIGHT, wanted) | {"running": wanted - 1})
    assert missing(enough, duration) == []
    assert [line for line in missing(short, duration) if "running" in line] == missing(short, duration) != []


EVENTFUL: list[AnyEntry] = [
    Spawned(at=0.0, by=NEMESIS, process="a.1"),
    started(1.0, "a.1"),
    Paused(at=2.0, by=NEMESIS, process="a.1"),
    Resumed(at=3.0, by=NEMESIS, process="a.1"),
    Paused(at=4.0, by=NEMESIS, process="a.1", loop_only=True),
    killed(5.0, "a.1", "running"),
    Spawned(at=6.0, by=NEMESIS, process="a.2"),
    Calm(at=7.0, by=NEMESIS),
    Stopping(at=8.0, by=NEMESIS, process="a.2"),
    Stopped(at=9.0, by=NEMESIS, process="a.2", code=0),
]


def test_the_timeline_shows_what_was_done_to_whom() -> None:
    drawing = ElementTree.fromstring(Timeline(EVENTFUL, [(1.0, 2.0)]).svg())
    drawn = [element.get("class") for element in drawing]
    assert {"full", "calm", "life", "frozen", "blocked", "stopping", "killed", "stopped", "started"} <= set(drawn)
    assert drawn.count("life") == 2
    titles = [title.text for title in drawing.iter() if title.tag.endswith("title")]
    assert "a.1: frozen, 1.0 s" in titles
    assert "a.1: killed: running" in titles


def test_the_timeline_of_nothing_is_empty() -> None:
    assert ElementTree.fromstring(Timeline([], []).svg()) is not None


class Links(HTMLParser):
    """Everything that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]


def told(found: Figures) -> dict[str, Any]:
    words = {"commit": "abc", "date": "2026-01-01", "store": "sqlite", "seed": 1, "duration": 60.0, "broken": []}
    return {**words, **msgspec.to_builtins(found), "answers": {}, "sometimes": {"<fenced>": 1}}


def test_the_page_needs_nothing_but_itself() -> None:
    text = page(told(figures(history(*EVENTFUL))), EVENTFUL, [], [])
    links = Links()
    links.feed(text)
    assert links.found == []
    assert "<script" not in text
    assert "Every promise was kept." in text


def test_the_page_lists_faults_as_text() -> None:
    text = page(told(figures(history())), [], [], ["P4: <job> was completed twice"])
    assert "P4: &lt;job&gt; was completed twice" in text
    assert "&lt;fenced&gt;" in text
    assert "Every promise was kept." not in text


def test_without_a_disk_of_its_own_there_is_no_campaign(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(disk, "WAYS", ())
    monkeypatch.delenv(disk.ENCLOSED, raising=False)
    assert program.main(["--duration", "1"]) == 3
    assert "run it as root" in capsys.readouterr().err
