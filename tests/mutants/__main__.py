"""Break the protocol in every known way, and see what notices.

    python -m tests.mutants --seeds 2000
    python -m tests.mutants --only fence-by-state-only,no-poll --no-tests

First the tree as it stands: its tests must be green, and the simulation must find nothing in it. Then each
mutant in a copy. Exit code 1 if the simulation lets one survive, 2 if the tree itself is at fault.
Verdicts are kept in build/mutants.json; a later run goes on from there, as long as nothing has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec

from tests import results
from tests.mutants.copies import ROOT, Copy, copied
from tests.mutants.patches import Patch, all_patches
from tests.mutants.report import Memory, Row, as_markdown
from tests.mutants.trials import TESTS, Checked, Simulated, run_tests, simulate

MEMORY: Final = ROOT / "build" / "mutants.json"
CHECKER: Final = "src/ferryman/testing/history"
"""Of which the unit and conformance tests know nothing."""


class Run:
    """One run over some mutants."""

    def __init__(self, copy: Copy, memory: Memory, seeds: int, *, tests: bool, simulation: bool) -> None:
        self._copy = copy
        self._memory = memory
        self._seeds = seeds
        self._tests = tests
        self._simulation = simulation
        tree = ("src", "conftest.py", "pyproject.toml")
        self._for_tests = copy.digest((*tree, *TESTS), without=CHECKER)
        self._for_simulation = copy.digest((*tree, "tests/simulation"))

    def whole(self) -> Row:
        """Try the tree as it stands."""
        return Row("(none)", "Nothing.", (), *self._try(""))

    def row(self, patch: Patch) -> Row:
        """Try a mutant."""
        with self._copy.broken(patch):
            return Row(patch.name, patch.breaks, patch.offends, *self._try(patch.diff))

    def _try(self, diff: str) -> tuple[Checked | None, Simulated | None]:
        """The verdicts on the copy as it is now; asks only for what is not known yet."""
        key = _key("tests", self._for_tests, diff)
        checked = self._memory.get(key, Checked)
        if checked is None and self._tests:
            checked = run_tests(self._copy)
            self._memory.keep(key, checked)
        key = _key("simulation", self._for_simulation, diff)
        simulated = self._memory.get(key, Simulated)
        if (simulated is None or not simulated.enough(self._seeds)) and self._simulation:
            simulated = simulate(self._copy, self._seeds)
            self._memory.keep(key, simulated)
        return checked, simulated


def main() -> int:
    """Read the options, run, report."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs in the copy ends, too
    options = _options()
    chosen, commit = _chosen(options.only), results.commit()
    with copied() as copy:
        copy.must_be_imported()
        run = Run(copy, Memory(MEMORY), options.seeds, tests=options.tests, simulation=options.simulation)
        rows = [run.whole()]
        _say(rows[0])
        if not rows[0].sound:
            return 2
        for patch in chosen:
            rows.append(run.row(patch))
            _say(rows[-1])
    print(f"\n{as_markdown(rows)}")
    if options.results is not None:
        results.add(options.results, "mutants", commit, {"seeds": options.seeds, "rows": msgspec.to_builtins(rows[1:])})
    survivors = [row.mutant for row in rows[1:] if row.survives]
    if survivors:
        print(f"Survivors: {', '.join(survivors)}")
    return 1 if survivors else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Break the protocol in known ways.")
    parser.add_argument("--seeds", type=int, default=2000, help="how many the simulation runs at most")
    parser.add_argument("--only", default="", metavar="NAME,..", help="these mutants")
    parser.add_argument("--tests", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--simulation", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--results", type=Path, metavar="FILE", help="a JSON file to which the table is added")
    return parser.parse_args()


def _chosen(only: str) -> list[Patch]:
    patches = {patch.name: patch for patch in all_patches()}
    names = [name for name in only.split(",") if name] or list(patches)
    unknown = [name for name in names if name not in patches]
    if unknown:
        sys.exit(f"There is no mutant {', '.join(unknown)}.")
    return [patches[name] for name in names]


def _key(trial: str, tree: str, diff: str) -> str:
    return f"{trial} {hashlib.sha256(f'{tree} {diff}'.encode()).hexdigest()}"


def _say(row: Row) -> None:
    """One line as soon as it is known."""
    told = [f"{name}: {verdict}" for name, verdict in (("tests", row.tests), ("simulation", row.simulation)) if verdict]
    print(f"{row.mutant}: {'; '.join(told)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
