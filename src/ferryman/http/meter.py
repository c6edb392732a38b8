"""How many requests each API key has left in this process: a token bucket for each that has a rate."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from ferryman.domain.access import ApiKey
from ferryman.domain.errors import TooManyRequests
from ferryman.domain.job import MICROS
from ferryman.domain.limits import TOKEN, Bucket


class Meter:
    """Counts on a clock that never jumps. What others are asked by the same key they count for themselves."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` gives seconds that only grow."""
        self._monotonic = monotonic
        self._buckets: dict[str, Bucket] = {}

    def spend(self, key: ApiKey) -> None:
        """Count one request. Raises TooManyRequests: none is left; this one does not count."""
        if key.rate is None:
            return
        bucket = self._buckets.get(key.id, Bucket()).filled(key.limit, round(self._monotonic() * MICROS))
        assert bucket.level is not None
        if bucket.level < TOKEN:
            wait = ceil((TOKEN - bucket.level) / TOKEN / key.rate)
            raise TooManyRequests(
                f"The API key {key.name} has made all requests that its rate allows.",
                retry_after=wait,
                rate=key.rate,
                burst=key.burst,
                hint="Send it again after Retry-After, or more slowly.",
            )
        self._buckets[key.id] = bucket.spent(1)
