"""What the tests of `crash_test` share."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ferryman.crashing import CrashReport, Finding, Scenario, What
from tests.crashing.bank import Bank

KILLED, OVERTAKEN, TWICE = Scenario.KILLED, Scenario.OVERTAKEN, Scenario.KILLED_TWICE


def with_ledger(bank: Bank) -> Any:
    """A setup: the bank, and a table of ours in the store's file."""

    def setup(database: Path) -> None:
        bank.open(database)
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("CREATE TABLE ledger (amount INTEGER)")

    return setup


def ledger(database: Path) -> list[tuple[int]]:
    """An effect."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT amount FROM ledger").fetchall()


def told(report: CrashReport, scenario: Scenario, effect: str = "") -> set[tuple[str, What]]:
    """What was found in a scenario, and at which kind of point."""
    return {
        (each.what, each.points[0].what)
        for each in report.findings
        if each.scenario is scenario and each.effect == effect
    }


def first(report: CrashReport) -> Finding:
    return report.findings[0]
