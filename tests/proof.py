"""Writes the figures of docs/proof-results.json into docs/proof.md, between its markers.

python -m tests.proof
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from ferryman.testing.history import SOMETIMES
from tests.results import ROOT

PAGE: Final = ROOT / "docs" / "proof.md"
RESULTS: Final = ROOT / "docs" / "proof-results.json"

Figures = dict[str, Any]


def rendered(page: str, results: Sequence[Figures]) -> str:
    """The page with the figures of these results."""
    for kind, write in _BLOCKS.items():
        found = [each for each in results if each["kind"] == kind]
        text = write(found) if found else "Not measured yet."
        before, begin, rest = page.partition(f"<!-- {kind}: begin -->\n")
        _, end, after = rest.partition(f"<!-- {kind}: end -->")
        assert begin and end, f"docs/proof.md has no place for {kind}"
        page = f"{before}{begin}{text}\n{end}{after}"
    return page


def _simulation(found: list[Figures]) -> str:
    rows = [
        (
            each["date"],
            f"`{each['commit']}`",
            f"{each['from']:,} to {each['from'] + each['seeds'] - 1:,}",
            f"{each['violations']}",
            f"{each['seeds_per_second']}",
            f"{each['means']['nodes']:.1f} / {each['means']['jobs']:.1f} / {each['means']['kinds of fault']:.1f}",
            f"{each['means']['on SQLite']:.0%}",
        )
        for each in found
    ]
    largest = max(found, key=lambda each: each["seeds"])
    met = [(name, what, f"{largest['reached'].get(name, 0):,}") for name, what in SOMETIMES.items()]
    head = ("Date", "Commit", "Seeds", "Violations", "Seeds/s", "Nodes / jobs / kinds of fault a seed", "On SQLite")
    return "\n".join(
        [
            _table(head, rows),
            "",
            f"Situations met in the largest of these runs ({largest['seeds']:,} seeds), and in how many seeds:",
            "",
            _table(("Situation", "What it is", "Seeds"), met),
        ]
    )


def _mutants(found: list[Figures]) -> str:
    newest = found[-1]
    rows = newest["rows"]
    killed = [row for row in rows if row["simulation"] and row["simulation"]["seed"] is not None]
    said = (
        f"{len(killed)} of {len(rows)} mutants are killed by the simulation, within {newest['seeds']:,} seeds "
        f"(commit `{newest['commit']}`, {newest['date']})."
    )
    shown = [
        (row["mutant"], ", ".join(row["offends"]), _first_test(row["tests"]), _first_seed(row["simulation"]))
        for row in rows
    ]
    return f"{said}\n\n{_table(('Mutant', 'Offends', 'First test that fails', 'Killed after seeds (promise)'), shown)}"


def _first_test(tests: Figures | None) -> str:
    if tests is None:
        return "not run"
    return "green" if tests["killer"] is None else f"`{tests['killer'].removeprefix('tests/')}`"


def _first_seed(simulation: Figures | None) -> str:
    if simulation is None:
        return "not run"
    if simulation["seed"] is None:
        return f"survives {simulation['seeds']:,}"
    return f"{simulation['seed'] + 1:,} ({simulation['promise']})"


def _chaos(found: list[Figures]) -> str:
    parts = [
        ("lost", "lost"),
        ("double_commits", "committed twice"),
        ("stuck", "stuck"),
        ("fenced", "writes fenced"),
        ("rescued", "claims rescued"),
    ]
    lines = []
    for each in found:
        broken = f", with a broken {', '.join(each['broken'])}" if each["broken"] else ""
        deaths = ", ".join(f"{name} {count}" for name, count in each["deaths"].items())
        counted = ", ".join(f"{each[name]:,} {word}" for name, word in parts)
        lines.append(
            f"- {each['date']}, commit `{each['commit']}`, {each['duration']:.0f} s, seed {each['seed']}{broken}: "
            f"**{each['violations']} violations**; {each['accepted']:,} jobs accepted, {each['starts']:,} starts, "
            f"{counted}. "
            f"Deaths by what was under way: {deaths}. {each['pauses']} freezes, {each['blocked_loops']} blocked loops, "
            f"{each['refused_disk_full']} requests refused by a full disk. "
            f"From a kill to a cut-off job running again: median {each['recovery_median']:.2f} s, "
            f"longest {each['recovery_worst']:.0f} s."
        )
    return "\n".join(lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_BLOCKS: Final[dict[str, Callable[[list[Figures]], str]]] = {
    "simulation": _simulation,
    "mutants": _mutants,
    "chaos": _chaos,
}


def read(path: Path) -> list[Figures]:
    """All results."""
    return msgspec.json.decode(path.read_bytes(), type=list[Figures])


def main() -> int:
    """Rewrite the page."""
    PAGE.write_text(rendered(PAGE.read_text("utf-8"), read(RESULTS)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
