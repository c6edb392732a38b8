"""Paths below the server's URL: whatever a name is, it stays one part of its path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, urlencode

from ferryman.domain import options
from ferryman.domain.errors import JobNotFound

_DOTS: Final = frozenset({".", ".."})


def path_of(*parts: str) -> str:
    """The path with these parts, each percent-encoded."""
    return "".join(f"/{_part(part)}" for part in parts)


def of_job(id: str, *below: str) -> str:
    """The path of a job. Raises JobNotFound: none can have this id."""
    if not options.is_id(id):
        raise JobNotFound(f"There is no job {id!a}.", why="That is no id.")
    return path_of("jobs", id, *below)


def asked(path: str, parameters: Iterable[tuple[str, object]]) -> str:
    """A path with its query, without the parameters that are None."""
    said = urlencode([(name, str(value)) for name, value in parameters if value is not None])
    return f"{path}?{said}" if said else path


def _part(text: str) -> str:
    # as they are, dots would lead up
    return text.replace(".", "%2E") if text in _DOTS else quote(text, safe="", errors="replace")
