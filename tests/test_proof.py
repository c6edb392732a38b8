"""docs/proof.md says what docs/proof-results.json says, and that what was found is told."""

from __future__ import annotations

import re

from tests.mutants.patches import all_patches
from tests.proof import PAGE, RESULTS, read, rendered


def test_the_page_shows_the_figures_of_the_file() -> None:
    page = PAGE.read_text("utf-8")
    assert rendered(page, read(RESULTS)) == page, "python -m tests.proof writes it anew"


def test_what_a_recorded_campaign_found_is_told_of_unless_it_was_broken_on_purpose() -> None:
    bugs = (PAGE.parent / "bugs.md").read_text("utf-8")
    for each in read(RESULTS):
        if each["kind"] == "chaos":
            assert bool(each["violations"]) == bool(each["broken"]), each
        if each["kind"] == "simulation":
            assert len(each["failing"]) == each["violations"], each
            untold = [seed for seed, _ in each["failing"] if not re.search(rf"\b{seed}\b", bugs)]
            assert not untold, "docs/bugs.md says nothing of these seeds"


def test_every_mutant_in_the_table_is_killed_and_none_is_missing() -> None:
    tables = [each for each in read(RESULTS) if each["kind"] == "mutants"]
    if tables:
        assert {row["mutant"] for row in tables[-1]["rows"]} == {patch.name for patch in all_patches()}
        assert all(row["simulation"]["seed"] is not None for row in tables[-1]["rows"])
