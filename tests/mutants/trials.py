"""What a mutant is tried by: the unit and conformance tests, and the simulation."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

from tests.mutants.copies import Copy, NoAnswer

TESTS: Final = ("tests/domain", "tests/client", "tests/engine", "tests/store")
TESTS_PATIENCE: Final = 900.0
HANGS: Final = 60
"""Seconds after which one test hangs; the slowest takes four."""
SIMULATION_PATIENCE: Final = 3600.0
_STARTED: Final = re.compile(
    r"^(tests/\S+?\.py(?:::\w+)+(?:\[.*?\](?= |$))?)(?: (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS))?", re.MULTILINE
)
_BROKEN: Final = re.compile(r"^ERROR (tests/\S+)", re.MULTILINE)


class Checked(msgspec.Struct, frozen=True):
    """What the unit and conformance tests say."""

    killer: str | None
    """The first test that fails or hangs; None if all are green."""
    hangs: bool = False

    def __str__(self) -> str:
        if self.killer is None:
            return "green"
        return f"hangs in {self.killer}" if self.hangs else self.killer


class Simulated(msgspec.Struct, frozen=True):
    """What the simulation says."""

    seeds: int
    """How many seeds it was to run."""
    seed: int | None = None
    """The first one in which a promise was broken."""
    promise: str | None = None
    trouble: str | None = None
    """Why there is no answer."""

    @property
    def killed(self) -> bool:
        """Whether the mutant was found out."""
        return self.seed is not None

    def enough(self, seeds: int) -> bool:
        """Whether a run of so many seeds would say the same."""
        return self.killed or (self.trouble is None and self.seeds >= seeds)

    def __str__(self) -> str:
        if self.trouble is not None:
            return f"no answer: {self.trouble}"
        if self.seed is None:
            return f"survives {self.seeds} seeds"
        return f"{self.seed + 1} seed{'s' if self.seed else ''} ({self.promise})"


def run_tests(copy: Copy) -> Checked:
    """Run the unit and conformance tests until the first that fails. They run in the same way every time."""
    options = ["-x", "-v", "--tb=no", "-p", "no:cacheprovider", "-p", "tests.mutants.unshrunk", "--hypothesis-seed=0"]
    try:
        code, written = copy.python(
            "-m", "pytest", *options, "-o", f"faulthandler_timeout={HANGS}", *TESTS, patience=TESTS_PATIENCE
        )
    except NoAnswer as error:
        return Checked(last_started(error.args[0]), hangs=True)
    return Checked(None) if code == 0 else killer(written)


def killer(written: str) -> Checked:
    """The test that ended a run of pytest, from what it wrote."""
    for name, verdict in _STARTED.findall(written):
        if verdict in ("FAILED", "ERROR"):
            return Checked(name)
    broken = _BROKEN.search(written)
    return Checked(broken[1]) if broken else Checked(last_started(written), hangs=True)


def last_started(written: str) -> str:
    """The test that had not ended when pytest was ended."""
    found = _STARTED.findall(written)
    return found[-1][0] if found else "the collection"


def simulate(copy: Copy, seeds: int) -> Simulated:
    """Run the simulation until the first seed in which a promise is broken."""
    words = ["--seeds", str(seeds), "--from", "0", "--stop-at-first", "--json"]
    try:
        _, written = copy.python("-m", "tests.simulation", *words, patience=SIMULATION_PATIENCE)
    except NoAnswer:
        return Simulated(seeds, trouble=f"it had not ended after {SIMULATION_PATIENCE:.0f} s")
    return found(seeds, written)


def found(seeds: int, written: str) -> Simulated:
    """What the simulation found, from the line of JSON that it ends with; warnings may follow it."""
    lines = written.strip().splitlines() or ["it wrote nothing"]
    for line in reversed(lines):
        if line.startswith("{"):
            try:
                answer: dict[str, Any] = json.loads(line)
                return Simulated(seeds, answer["first"], answer["promise"])
            except (ValueError, KeyError):
                break
    return Simulated(seeds, trouble=lines[-1][:200])
