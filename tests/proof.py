"""Writes the figures of docs/proof-results.json into docs/proof.md, between its markers.

python -m tests.proof
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from ferryman.testing.history import SOMETIMES
from tests.mutants.patches import all_patches
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
            f"{each['means'].get('on the model of PostgreSQL', 0):.0%}",
        )
        for each in found
    ]
    largest = max(found, key=lambda each: each["seeds"])
    met = [(name, what, _met(largest, name)) for name, what in SOMETIMES.items()]
    means = ("Nodes / jobs / kinds of fault a seed", "On SQLite", "On the model of PostgreSQL")
    head = ("Date", "Commit", "Seeds", "Violations", "Seeds/s", *means)
    return "\n".join(
        [
            _table(head, rows),
            "",
            f"Situations met in the largest of these runs ({largest['seeds']:,} seeds), and in how many seeds:",
            "",
            _table(("Situation", "What it is", "Seeds"), met),
        ]
    )


def _met(largest: Figures, name: str) -> str:
    """In how many seeds; a run knows nothing of situations that came after it."""
    if name in largest["reached"] or name in largest["never_met"]:
        return f"{largest['reached'].get(name, 0):,}"
    return "not played then"


def newest_verdicts(tables: list[Figures], mutants: Iterable[str]) -> list[Figures]:
    """Of these mutants each one's row in the newest table that has it, with that table's commit."""
    rows = {row["mutant"]: {**row, "commit": table["commit"]} for table in tables for row in table["rows"]}
    return [rows[mutant] for mutant in sorted(mutants) if mutant in rows]


def _mutants(found: list[Figures]) -> str:
    rows = newest_verdicts(found, [patch.name for patch in all_patches()])
    killed = [row for row in rows if row["simulation"] and row["simulation"]["seed"] is not None]
    said = (
        f"{len(killed)} of {len(rows)} mutants are killed by the simulation, within {found[-1]['seeds']:,} seeds, each "
        f"at the commit that the table names; the newest on {found[-1]['date']}."
    )
    columns = ("Mutant", "Offends", "First test that fails", "Killed after seeds (promise)", "Commit")
    shown = [
        (
            row["mutant"],
            ", ".join(row["offends"]),
            _first_test(row["tests"]),
            _first_seed(row["simulation"]),
            f"`{row['commit']}`",
        )
        for row in rows
    ]
    return f"{said}\n\n{_table(columns, shown)}"


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


def _fleet(found: list[Figures]) -> str:
    newest = found[-1]
    lines = []
    for each in found:
        broken = f", with a broken {', '.join(each['broken'])}" if each["broken"] else ""
        pooler = " behind PgBouncer" if each["pooler"] else ""
        deaths = ", ".join(f"{name} {count}" for name, count in each["deaths"].items())
        lines.append(
            f"- {_when(each)}, PostgreSQL {each['server']}{pooler}{broken}: **{each['violations']} violations**; "
            f"{each['accepted']:,} jobs accepted, {each['starts']:,} starts, {each['lost']} lost, "
            f"{each['double_commits']} committed twice, {each['stuck']} stuck, {each['fenced']:,} writes fenced, "
            f"{each['rescued']:,} claims rescued. Deaths by what was under way: {deaths}. "
            f"{each['hand_overs']} times the chores went over from a node that was killed, within "
            f"{_one(each['hand_over_worst'])}."
        )
    rows = [
        (name, f"{each['times']}", f"{each['measured']}", _one(each["median"]), _one(each["worst"]))
        for name, each in newest["recoveries"].items()
    ]
    head = ("What was over", "Times", "Measured", "All well again, median", "Worst")
    return "\n".join([*lines, "", "How soon all was well again, in the last of these:", "", _table(head, rows)])


def _supervision(found: list[Figures]) -> str:
    lines = []
    for each in found:
        kills = ", ".join(f"{name} {count}" for name, count in each["kills"].items())
        lines.append(
            f"- {_when(each)}, `ferryman {each['command']} --processes 2`: **{each['faults']} faults** in "
            f"{each['acts']} acts; {each['accepted']:,} jobs accepted, {each['lost']} lost, "
            f"{each['double_commits']} committed twice. Processes killed, by what was under way: {kills}. "
            f"Claims were given back after {each['with_claims']} deaths: {_seconds(each, 'median', 'worst')} after the "
            f"death where somebody of the family lived on; where it was dead ({each['family_dead']}), "
            f"{_seconds(each, 'family_dead_median', 'family_dead_worst')} with the start of another one, "
            f"{_one(each['from_restart_worst'])} at most from its first node process on. "
            f"{each['parents_killed']} supervisors killed, the last of their kin gone "
            f"{each['orphans_gone_worst']:.1f} s later at most."
        )
    return "\n".join(lines)


def _hostile(found: list[Figures]) -> str:
    newest = found[-1]
    rows = [
        (f"`{type}`", slot["code"], f"{slot['times']}", _one(slot["median"]), _one(slot["worst"]))
        for type, slot in newest["slots"].items()
    ]
    said = (
        f"{_when(newest)}: **{newest['faults']} faults**; {newest['hostile_runs']} runs of {newest['hostile_jobs']} "
        f"hostile jobs, {newest['oom_kills']} processes killed by the kernel for want of memory; "
        f"{newest['harmless_jobs']:,} harmless jobs beside them, {newest['harmless_harmed']} harmed. "
        f"From the end of the node until nobody was left: {_one(newest['gone_after_stop'])} after a stop, "
        f"{_one(newest['gone_after_kill'])} after a kill."
    )
    return f"{said}\n\n{_table(('Handler', 'Its runs fail with', 'Times', 'Slot back, median', 'Worst'), rows)}"


def _money(found: list[Figures]) -> str:
    return "\n".join(
        f"- {_when(each)}: **{each['faults']} faults**; {each['jobs']:,} transfers, {each['ledger']:,} rows in the "
        f"ledger, {each['receipts']:,} follow-ups; {sum(each['deaths'].values())} times a node or both were killed, "
        f"{each['deaths'].get('in the middle', 0)} of them in the middle of a transaction, "
        f"{each['cut_off']} runs cut off. {len(each['slow'])} handlers slept in their transaction: "
        f"{', '.join(sorted(set(each['slow'])))}, {each['fenced']} writes fenced, {each['rescued']} claims lost; "
        f"an enqueue waited for {each['longest_wait']:.1f} s at most."
        for each in found
    )


def _money_on_postgres(found: list[Figures]) -> str:
    return "\n".join(
        f"- {_when(each)}, PostgreSQL {each['server']}: **{each['faults']} faults**; {each['jobs']:,} transfers, "
        f"{each['ledger']:,} rows in the ledger, {each['receipts']:,} follow-ups; "
        f"{', '.join(f'{name} {count}' for name, count in each['harms'].items())}; "
        f"{each['cut_off']} runs cut off with their node, {each['again']} failed and were made again."
        for each in found
    )


def _lost_answers(found: list[Figures]) -> str:
    return "\n".join(
        f"- {_when(each)}, {each['store']}: **{each['faults']} faults**; {each['said']:,} jobs said, "
        f"{each['stored']:,} stored; {each['dropped']:,} of {sum(each['answers'].values()):,} answers lost, "
        f"{each['answers']['halved']:,} of them in the middle."
        for each in found
    )


def _when(each: Figures) -> str:
    return f"{each['date']}, commit `{each['commit']}`, {each['duration']:.0f} s, seed {each['seed']}"


def _seconds(each: Figures, median: str, worst: str) -> str:
    return f"median {_one(each[median])}, worst {_one(each[worst])}"


def _one(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f} s"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_BLOCKS: Final[dict[str, Callable[[list[Figures]], str]]] = {
    "simulation": _simulation,
    "mutants": _mutants,
    "chaos": _chaos,
    "chaos on PostgreSQL": _fleet,
    "supervision": _supervision,
    "hostile": _hostile,
    "money": _money,
    "money on PostgreSQL": _money_on_postgres,
    "lost answers": _lost_answers,
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
