"""Ids as PostgreSQL takes them: it refuses a statement with one that is no UUID, while other stores just have no such
job."""

from __future__ import annotations

import re
from typing import Final

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_id(text: str) -> bool:
    """Whether a text is an id as they are minted: a UUID in lower case."""
    return _UUID.fullmatch(text) is not None
