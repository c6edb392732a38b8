"""`python -m tests.typing`: how many of the seeded mistakes each type checker finds, and its false alarms."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.typing.checkers import CHECKERS, check, marked


def main() -> None:
    mistakes = marked()["mistakes"]
    for name in CHECKERS:
        with tempfile.TemporaryDirectory() as folder:
            lines, _ = check(name, Path(folder))
        found = lines["mistakes"] & mistakes
        alarms = len(lines["mistakes"] - mistakes) + len(lines["right"])
        sys.stdout.write(f"{name:8} found {len(found)} of {len(mistakes)}, false alarms {alarms}\n")


main()
