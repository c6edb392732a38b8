"""Who tries keys that open nothing: said in the log, in a line a minute, however many try."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from ferryman.http.exchange import Request

PAUSE: Final = 60.0
"""Seconds between two lines."""
ADDRESSES: Final = 1000
"""So many are told apart between two lines; what comes from others is only counted."""


class Refusals:
    """Counts the refused keys of one process."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` gives seconds that only grow."""
        self._monotonic = monotonic
        self._log = logging.getLogger("ferryman.http")
        self._told_at: float | None = None
        self._count = 0
        self._by_address: Counter[str] = Counter()

    def note(self, request: Request) -> None:
        """Count one, and say in the log how many there were, if that is due."""
        address = address_of(request)
        self._count += 1
        if address in self._by_address or len(self._by_address) < ADDRESSES:
            self._by_address[address] += 1
        now = self._monotonic()
        if self._told_at is None or now - self._told_at >= PAUSE:
            [(busiest, most)] = self._by_address.most_common(1)
            self._log.warning(
                "Requests with API keys that open nothing: %d, of which %d from %s",
                self._count,
                most,
                busiest,
                extra={"refused": self._count, "address": busiest},
            )
            self._told_at, self._count = now, 0
            self._by_address.clear()


def address_of(request: Request) -> str:
    """Where a request comes from: as a trusted proxy says, else who is connected."""
    client = request.scope.get("client")
    return "nobody knows where" if client is None else str(client[0])
