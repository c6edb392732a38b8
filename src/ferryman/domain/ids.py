"""UUIDv7 (RFC 9562, section 5.7): ids that sort by the time at which they were minted."""

from __future__ import annotations

import random
from typing import Final

_RANDOM_BITS: Final = 62
_VERSION: Final = 7 << 76
_VARIANT: Final = 2 << 62


class IdMinter:
    """Mints ids that grow strictly within one minter, whatever the clock does."""

    def __init__(self, randomness: random.Random) -> None:
        self._bits = randomness.getrandbits
        self._last = 0

    def mint(self, now: int) -> str:
        """A new id for the time `now` (microseconds): 48 bits of milliseconds, 12 of their fraction, 62 random."""
        milliseconds, micros = divmod(now, 1000)
        stamp = milliseconds << 80 | (micros * 4096 // 1000) << 64
        value = stamp | _VERSION | _VARIANT | self._bits(_RANDOM_BITS)
        if value <= self._last:
            # the clock stood still or went back: follow the last id by a random step within its time
            value = _after(self._last, 1 + self._bits(32))
        self._last = value
        return _text(value)

    def number(self) -> int:
        """A random 63-bit number: a batch id or a run token; never 0."""
        return self._bits(63) | 1


def floor_of(time: int) -> str:
    """The text that sorts before every id minted at `time` (microseconds) or later, and after all minted before."""
    milliseconds, micros = divmod(max(0, time), 1000)
    return _text(milliseconds << 80 | _VERSION | (micros * 4096 // 1000) << 64)


def _text(value: int) -> str:
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _after(value: int, step: int) -> int:
    """The next value of the same time; when its random part is full, the next fraction of a millisecond."""
    low = (value & ((1 << _RANDOM_BITS) - 1)) + step
    if low < 1 << _RANDOM_BITS:
        return value - (value & ((1 << _RANDOM_BITS) - 1)) + low
    fraction = (value >> 64 & 0xFFF) + 1
    milliseconds = (value >> 80) + (fraction >> 12)
    return milliseconds << 80 | _VERSION | (fraction & 0xFFF) << 64 | _VARIANT | (low & 0xFFFFFFFF)
