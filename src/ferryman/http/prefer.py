"""What a client would like, and need not get: the Prefer header (RFC 7240)."""

from __future__ import annotations

import re
from typing import Final

from ferryman.http.exchange import Request

WAIT_MAX: Final = 60
"""Seconds for which a request waits at most, whatever it asks for."""

_WAIT: Final = re.compile(rb'\s*wait\s*(?:=\s*(?:"([^"]*)"|([^\s;"]*)))?\s*(?:;.*)?', re.IGNORECASE)


def wait(request: Request) -> int | None:
    """For how many seconds the client would like to wait; None where it does not say so in a way that can be read.

    The first one counts, as the RFC has it, also if it cannot be read.
    """
    if b"prefer" not in request.headers:
        return None
    for name, value in request.scope["headers"]:
        if name != b"prefer":
            continue
        for preference in value.split(b","):
            match = _WAIT.fullmatch(preference)
            if match:
                return _seconds(match[1] or match[2] or b"")
    return None


def applied(seconds: int) -> tuple[bytes, bytes]:
    """The header that says for how long at most it was waited."""
    return (b"preference-applied", b"wait=%d" % seconds)


def _seconds(text: bytes) -> int | None:
    if not text.isdigit():
        return None
    return min(int(text), WAIT_MAX) if len(text) < 10 else WAIT_MAX
