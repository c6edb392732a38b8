"""docs/proof.md says what docs/proof-results.json says, and that what was found is told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ferryman.testing.history import SOMETIMES
from tests.mutants.patches import all_patches
from tests.proof import PAGE, RESULTS, newest_verdicts, read, rendered


def test_the_page_shows_the_figures_of_the_file() -> None:
    page = PAGE.read_text("utf-8")
    assert rendered(page, read(RESULTS)) == page, "python -m tests.proof writes it anew"


def test_a_situation_that_a_run_did_not_know_is_no_situation_that_it_missed() -> None:
    told = {"date": "d", "commit": "c", "from": 0, "seeds": 9, "violations": 0, "seeds_per_second": 1.0}
    means = {"nodes": 1.0, "jobs": 1.0, "kinds of fault": 1.0, "on SQLite": 0.5}
    run = {"kind": "simulation", **told, "means": means, "reached": {"snoozed": 7}, "never_met": ["timed out"]}
    lines = rendered(PAGE.read_text("utf-8"), [run]).splitlines()
    found = {name: line.rsplit("| ", 1)[1] for line in lines for name in SOMETIMES if line.startswith(f"| {name} |")}
    assert (found["snoozed"], found["timed out"], found["queue full"]) == ("7 |", "0 |", "not played then |")


def test_what_a_recorded_campaign_found_is_told_of_unless_it_was_broken_on_purpose() -> None:
    bugs = (PAGE.parent / "bugs.md").read_text("utf-8")
    for each in read(RESULTS):
        if each["kind"] in ("chaos", "chaos on PostgreSQL"):
            assert bool(each["violations"]) == bool(each["broken"]), each
        if each["kind"] == "simulation":
            assert len(each["failing"]) == each["violations"], each
            untold = [seed for seed, _ in each["failing"] if not re.search(rf"\b{seed}\b", bugs)]
            assert not untold, "docs/bugs.md says nothing of these seeds"
        if each["kind"] in ("supervision", "hostile", "money", "money on PostgreSQL", "lost answers"):
            assert not each["faults"], each


RUN = {"date": "2026-01-02", "commit": "abc", "duration": 60.4, "seed": 3, "faults": 0}
KILLED = {
    "kind": "supervision",
    "command": "work",
    "acts": 9,
    "accepted": 1234,
    "lost": 0,
    "double_commits": 0,
    "kills": {"claimed": 4, "idle": 5},
    "with_claims": 7,
    "median": 0.02,
    "worst": 0.5,
    "family_dead": 2,
    "family_dead_median": None,
    "family_dead_worst": 1.25,
    "from_restart_worst": 0.25,
    "parents_killed": 6,
    "orphans_gone_worst": 2.5,
}
HURT = {
    "kind": "chaos on PostgreSQL",
    "server": "18.6",
    "pooler": True,
    "broken": [],
    "violations": 0,
    "accepted": 5268,
    "starts": 7693,
    "lost": 0,
    "double_commits": 0,
    "stuck": 0,
    "fenced": 44,
    "rescued": 192,
    "deaths": {"claimed": 3, "running": 14},
    "hand_overs": 32,
    "hand_over_worst": 0.5,
    "recoveries": {
        "a node killed": {"times": 38, "measured": 38, "median": 1.5, "worst": 10.25},
        "slow": {"times": 4, "measured": 0, "median": None, "worst": None},
    },
}
HARMED = {
    "kind": "hostile",
    "hostile_runs": 13,
    "hostile_jobs": 7,
    "oom_kills": 2,
    "harmless_jobs": 1000,
    "harmless_harmed": 0,
    "gone_after_stop": 0.002,
    "gone_after_kill": 0.06,
    "slots": {"hogs": {"code": "FM518", "times": 2, "median": 0.5, "worst": 0.75}},
}
MOVED = {
    "kind": "money",
    "jobs": 5000,
    "ledger": 5000,
    "receipts": 5000,
    "deaths": {"both": 5, "in the middle": 6},
    "cut_off": 40,
    "slow": ["FM217", "FM217"],
    "fenced": 0,
    "rescued": 0,
    "longest_wait": 2.0,
}
MOVED_ON_POSTGRES = {
    "kind": "money on PostgreSQL",
    "server": "18.6",
    "jobs": 3000,
    "ledger": 3000,
    "receipts": 3000,
    "harms": {"both nodes killed": 5, "commit unheard of": 6},
    "cut_off": 40,
    "again": 50,
}


LOST = {
    "kind": "lost answers",
    "store": "sqlite",
    "said": 10000,
    "stored": 10000,
    "dropped": 1300,
    "answers": {"passed": 5000, "lost": 600, "halved": 700},
}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (LOST, "sqlite: **0 faults**; 10,000 jobs said, 10,000 stored; 1,300 of 6,300 answers lost, 700 of them in"),
        (KILLED, "`ferryman work --processes 2`: **0 faults** in 9 acts; 1,234 jobs accepted, 0 lost"),
        (
            KILLED,
            "claimed 4, idle 5. Claims were given back after 7 deaths: median 0.02 s, worst 0.50 s after the death",
        ),
        (KILLED, "dead (2), median -, worst 1.25 s with the start of another one, 0.25 s at most"),
        (
            HURT,
            "PostgreSQL 18.6 behind PgBouncer: **0 violations**; 5,268 jobs accepted, 7,693 starts, 0 lost, 0",
        ),
        (HURT, "claimed 3, running 14. 32 times the chores went over from a node that was killed, within 0.50 s."),
        (HURT, "| a node killed | 38 | 38 | 1.50 s | 10.25 s |"),
        (HURT, "| slow | 4 | 0 | - | - |"),
        (HARMED, "2026-01-02, commit `abc`, 60 s, seed 3: **0 faults**; 13 runs of 7 hostile jobs, 2 processes killed"),
        (HARMED, "| `hogs` | FM518 | 2 | 0.50 s | 0.75 s |"),
        (
            MOVED,
            "5,000 transfers, 5,000 rows in the ledger, 5,000 follow-ups; 11 times a node or both were killed, 6 of",
        ),
        (
            MOVED,
            "2 handlers slept in their transaction: FM217, 0 writes fenced, 0 claims lost; an enqueue waited for 2.0 s",
        ),
        (
            MOVED_ON_POSTGRES,
            "PostgreSQL 18.6: **0 faults**; 3,000 transfers, 3,000 rows in the ledger, 3,000 follow-ups; both",
        ),
        (
            MOVED_ON_POSTGRES,
            "both nodes killed 5, commit unheard of 6; 40 runs cut off with their node, 50 failed and were",
        ),
    ],
)
def test_the_figures_of_a_campaign_are_shown_in_its_place(found: dict[str, Any], says: str) -> None:
    page = rendered(PAGE.read_text("utf-8"), [RUN | found])
    place = page.partition(f"<!-- {found['kind']}: begin -->")[2].partition(f"<!-- {found['kind']}: end -->")[0]
    assert says in place


def test_every_mutant_in_the_table_is_killed_and_none_is_missing() -> None:
    tables = [each for each in read(RESULTS) if each["kind"] == "mutants"]
    if tables:
        names = {patch.name for patch in all_patches()}
        rows = newest_verdicts(tables, names)
        assert {row["mutant"] for row in rows} == names
        assert all(row["simulation"]["seed"] is not None for row in rows)


def test_each_mutant_is_shown_with_its_newest_verdict() -> None:
    def table(commit: str, *names: str) -> dict[str, Any]:
        return {"commit": commit, "rows": [{"mutant": name} for name in names]}

    rows = newest_verdicts([table("old", "b", "a", "gone"), table("new", "b", "c")], ["c", "b", "a", "untried"])
    assert [(row["mutant"], row["commit"]) for row in rows] == [("a", "old"), ("b", "new"), ("c", "new")]
