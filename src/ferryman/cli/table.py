"""Tables and texts for people: nothing in them can move the cursor of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ferryman.domain.job import MICROS, JobError

_STEPS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
GAP: Final = "  "


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest text, under a head; the last one is as long as it likes."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        GAP.join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def span(micros: int) -> str:
    """How long something took or takes, in its largest unit and the next: 45s, 3m 20s, 2h 5m, 9d 1h."""
    seconds = max(0, micros) // MICROS
    for place, (size, unit) in enumerate(_STEPS):
        if seconds >= size:
            rest = seconds % size
            smaller, name = _STEPS[place + 1] if place + 1 < len(_STEPS) else (1, "")
            return f"{seconds // size}{unit}" + (f" {rest // smaller}{name}" if rest // smaller else "")
    return "0s"


def jobs(count: int) -> str:
    """So many jobs, in words."""
    return f"{count} job{'' if count == 1 else 's'}"


def plain(text: str) -> str:
    """A text on one line, control characters written out."""
    return "".join(each if each.isprintable() else _written_out(each) for each in text)


def lines_of(text: str) -> list[str]:
    """The lines of a text, each plain; tabs stay."""
    return ["\t".join(map(plain, line.split("\t"))) for line in text.split("\n")]


def brief(error: JobError | None, length: int = 60) -> str:
    """An error in short: its code and the beginning of its first line; empty for none."""
    if error is None:
        return ""
    first = (error.message.strip().splitlines() or [""])[0]
    text = plain(f"{error.code} {error.type}: {first}")
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
