"""What came of every mutant: kept from run to run, and shown as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from tests.mutants.trials import Checked, Simulated

Verdict = TypeVar("Verdict", Checked, Simulated)


class Memory:
    """A file that remembers verdicts, so that a run that was cut off goes on where it was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = self._read()

    def get(self, key: str, kind: type[Verdict]) -> Verdict | None:
        """The verdict that was kept under a key."""
        kept = self._known.get(key)
        return None if kept is None else msgspec.convert(kept, kind)

    def keep(self, key: str, verdict: Checked | Simulated) -> None:
        """Remember a verdict, at once."""
        self._known = {**self._read(), key: msgspec.to_builtins(verdict)}  # another run may have added to it
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._known, indent=1) + "\n", "utf-8")
        fresh.replace(self._path)

    def _read(self) -> dict[str, object]:
        return json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}


class Row(msgspec.Struct, frozen=True):
    """One mutant in the table."""

    mutant: str
    breaks: str
    offends: tuple[str, ...]
    tests: Checked | None
    simulation: Simulated | None

    @property
    def survives(self) -> bool:
        """Whether the simulation was asked, and did not find it out."""
        return self.simulation is not None and not self.simulation.killed

    @property
    def sound(self) -> bool:
        """Whether nothing speaks against it, as has to be where nothing is broken."""
        green = self.tests is None or self.tests.killer is None
        return green and (self.simulation is None or (not self.simulation.killed and self.simulation.trouble is None))


def as_markdown(rows: Sequence[Row]) -> str:
    """A table for people."""
    lines = ["| Mutant | Offends | Unit and conformance tests | Killed by the simulation after |", "|---|---|---|---|"]
    for row in rows:
        tests, simulation = (str(each) if each is not None else "" for each in (row.tests, row.simulation))
        lines.append(f"| {row.mutant} | {', '.join(row.offends)} | {tests} | {simulation} |")
    return "\n".join(lines) + "\n"
