"""The mutants: named breakages of the protocol, each a patch with a few words before the diff.

Breaks: what is done wrong, and in which part
Offends: the promises that this breaks
Mistake: why somebody could have written it so
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

FOLDER: Final = Path(__file__).parent
_FIELD: Final = re.compile(r"^(Breaks|Offends|Mistake): (.+(?:\n  .+)*)$", re.MULTILINE)


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """One mutant."""

    name: str
    breaks: str
    offends: tuple[str, ...]
    """Promises, such as P4."""
    mistake: str
    diff: str
    """A unified diff against the root of the repository."""

    @property
    def files(self) -> list[str]:
        """The files that it changes or adds."""
        return re.findall(r"^\+\+\+ b/(\S+)$", self.diff, re.MULTILINE)


def read(path: Path) -> Patch:
    """The mutant in a file.

    Raises:
        ValueError: a part of its header is missing.
    """
    text = path.read_text("utf-8")
    header, found, diff = text.partition("\n\n--- ")
    fields = {name: " ".join(words.split()) for name, words in _FIELD.findall(header)}
    missing = {"Breaks", "Offends", "Mistake"} - fields.keys()
    if missing or not found:
        raise ValueError(f"{path.name} lacks: {', '.join(sorted(missing)) or 'a diff'}")
    return Patch(
        name=path.stem,
        breaks=fields["Breaks"],
        offends=tuple(re.split(r",\s*", fields["Offends"])),
        mistake=fields["Mistake"],
        diff=f"--- {diff}",
    )


def all_patches() -> list[Patch]:
    """Every mutant, by name."""
    return [read(path) for path in sorted(FOLDER.glob("*.patch"))]
