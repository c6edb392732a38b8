"""What one client may take of the server: bytes of a head, time for it, time in which nothing moves, connections."""

from __future__ import annotations

from typing import Final

import msgspec

CONNECTIONS_DEFAULT: Final = 1000


class Bounds(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds."""

    connections: int = CONNECTIONS_DEFAULT
    head_size: int = 32 * 1024
    """Of the line of a request and its headers."""
    head_time: float = 15.0
    """From the first byte of a head to its last."""
    silence: float = 90.0
    """For a body that does not come, longer than an import waits by itself; and for a new connection."""
    unread: float = 30.0
    """For an answer that is not read."""
