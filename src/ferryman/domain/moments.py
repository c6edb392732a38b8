"""Times as RFC 3339 writes them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from ferryman.domain import options

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def read_moment(text: str) -> int | None:
    """Microseconds for an RFC 3339 time, None if it is none; digits beyond the microsecond are cut."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return options.moment_of("time", datetime.fromisoformat(text.upper()))
    except ValueError:
        return None


def write_moment(micros: int) -> str:
    """A time as RFC 3339 in UTC, always with six digits of a second."""
    return options.moment_text(micros)
