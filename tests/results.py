"""The file of figures: every campaign adds what it saw, with the commit and the date."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

ROOT: Final = Path(__file__).parents[1]
CHANGED: Final = "+changes"
"""Follows a commit where the code is not what was committed."""


def commit() -> str:
    """The commit under test, marked where its code is not what is under test."""
    changed = _git("status", "--porcelain", "--", "src", "tests")
    return (_git("rev-parse", "--short=12", "HEAD") or "unknown") + (CHANGED if changed else "")


def add(path: Path, kind: str, at: str, figures: dict[str, Any]) -> None:
    """Add the figures of one campaign to the list in a file; `at` is the commit that it began with."""
    known = msgspec.json.decode(path.read_bytes(), type=list[Any]) if path.exists() else []
    found = {"kind": kind, "commit": at, "date": datetime.now(UTC).date().isoformat(), **figures}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode([*known, found]), indent=1) + b"\n")


def _git(*words: str) -> str:
    answer = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return answer.stdout.strip()
