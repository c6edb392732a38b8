"""What people read of a crash test."""

from __future__ import annotations

import re
from typing import Any

from ferryman import crashing
from ferryman.crashing import CrashReport, Finding, Point, Scenario, What


def point(line: int, what: What = What.BEFORE) -> Point:
    return Point("/shop/jobs.py", line, what)


def report(*findings: Finding, tried: int = 3, **more: Any) -> CrashReport:
    rest: dict[str, Any] = {"missed": (), "held": (), "unchanged": ()} | more
    return CrashReport(type="pay", seed=4, most=9, met=3, tried=tried, trials=8, findings=findings, **rest)


def test_the_public_names_are_pinned() -> None:
    names = ["CrashReport", "Effect", "Finding", "Point", "Scenario", "What", "crash_test"]
    assert sorted(crashing.__all__) == names
    assert all(hasattr(crashing, name) for name in names)


def test_nothing_found_is_one_line() -> None:
    assert str(report()) == "crash_test of pay: 8 trials at 3 points: nothing found"
    assert str(report(tried=2)) == "crash_test of pay: 8 trials at 2 of 3 points: nothing found"
    assert report().ok


def test_findings_are_a_table_whose_rows_differ_by_more_than_points() -> None:
    killed = [Finding(Scenario.KILLED, (point(line),), "charges", "doubled", "2 instead of 1") for line in (7, 8)]
    end = (point(8, What.END), point(7))
    twice = Finding(Scenario.KILLED_TWICE, end, "charges", "doubled", "3 instead of 1")
    failed = Finding(Scenario.OVERTAKEN, (point(7),), "", "failed", "FM505 RunLost:\n gone " + 60 * "x")
    found = report(*killed, twice, failed)
    assert not found.ok
    assert str(found).splitlines() == [
        "crash_test of pay: 8 trials at 3 points: 4 findings",
        f"  killed        charges  doubled  {'2 instead of 1':60}  at jobs.py:7, 8",
        f"  killed twice  charges  doubled  {'3 instead of 1':60}  at jobs.py:8 end then 7",
        f"  overtaken     the job  failed   FM505 RunLost: gone {37 * 'x'}...  at jobs.py:7",
        "The same trials again: crash_test(..., seed=4, most=9)",
    ]


def test_many_points_are_cut_short() -> None:
    findings = [Finding(Scenario.KILLED, (point(line),), "charges", "lost", "0") for line in range(1, 9)]
    assert "at jobs.py:1, 2, 3, 4, 5 and 3 more" in str(report(*findings))


def test_what_could_not_be_tried_is_told() -> None:
    text = str(report(missed=(point(7), point(8)), held=(point(9),), unchanged=("mails", "calls")))
    assert re.findall(r"^Not .*$", text, re.MULTILINE) == [
        "Not reached again, at jobs.py:7, 8: the handler went another way.",
        "Not overtaken, at jobs.py:9: there the handler keeps others from writing.",
        "Not changed by an undisturbed run: mails, calls.",
    ]
