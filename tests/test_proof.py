"""docs/proof.md says what docs/proof-results.json says, and that nothing was found."""

from __future__ import annotations

from tests.mutants.patches import all_patches
from tests.proof import PAGE, RESULTS, read, rendered


def test_the_page_shows_the_figures_of_the_file() -> None:
    page = PAGE.read_text("utf-8")
    assert rendered(page, read(RESULTS)) == page, "python -m tests.proof writes it anew"


def test_no_recorded_campaign_has_broken_a_promise_unless_it_was_to() -> None:
    for each in read(RESULTS):
        if each["kind"] != "mutants":
            assert bool(each["violations"]) == bool(each.get("broken")), each


def test_every_mutant_in_the_table_is_killed_and_none_is_missing() -> None:
    tables = [each for each in read(RESULTS) if each["kind"] == "mutants"]
    if tables:
        assert {row["mutant"] for row in tables[-1]["rows"]} == {patch.name for patch in all_patches()}
        assert all(row["simulation"]["seed"] is not None for row in tables[-1]["rows"])
