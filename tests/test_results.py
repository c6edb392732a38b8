"""The file of figures grows, and says what was measured."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests import results


def test_results_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    results.add(path, "chaos", "abc", {"seed": 1})
    results.add(path, "mutants", "def", {"seeds": 2})
    first, second = msgspec.json.decode(path.read_bytes())
    assert (first["kind"], first["commit"], first["seed"]) == ("chaos", "abc", 1)
    assert (second["kind"], second["commit"], second["seeds"]) == ("mutants", "def", 2)
    assert first["date"] == second["date"]
