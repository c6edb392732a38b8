"""Stretches of time, and the words for them: `>=2026-01-01`, `<1h`, `2026-01-01..2026-02-01`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Final

import msgspec

from ferryman.domain.job import MICROS
from ferryman.domain.moments import read_moment, write_moment

_DAY: Final = 86_400 * MICROS
_UNITS: Final = {"s": MICROS, "m": 60 * MICROS, "h": 3600 * MICROS, "d": _DAY}
_AGE: Final = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LAST_YEAR: Final = 9998
_COMPARED: Final = re.compile(r"([<>]=?)(.*)", re.DOTALL)
_ALLOWED: Final = "a day such as 2026-01-31, a time such as 2026-01-31T12:00:00Z, or an age such as 30s, 15m, 2h or 7d"


class Span(msgspec.Struct, frozen=True):
    """The times from `start` on and before `end`, in microseconds; None is no bound."""

    start: int | None = None
    end: int | None = None

    def holds(self, at: int | None) -> bool:
        """Whether a time is in it; what has not happened is only where there is no bound."""
        if at is None:
            return self == Span()
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)

    def within(self, other: Span) -> Span:
        """The times that are in both."""
        starts = [each.start for each in (self, other) if each.start is not None]
        ends = [each.end for each in (self, other) if each.end is not None]
        return Span(max(starts, default=None), min(ends, default=None))


def read_span(text: str, now: int) -> Span:
    """The stretch that a text means. Raises ValueError, with a sentence that says what is wrong."""
    if compared := _COMPARED.fullmatch(text):
        return _compared(compared[1], compared[2], now)
    first, dots, last = text.partition("..")
    if not dots:
        if _AGE.fullmatch(text):
            raise ValueError(f"{text!a} is an age: say <{text} for what is younger, >{text} for what is older.")
        return _stretch(text, now)
    if not first and not last:
        raise ValueError("A range needs a beginning or an end.")
    found = Span(_stretch(first, now).start if first else None, _stretch(last, now).end if last else None)
    if found.start is not None and found.end is not None and found.start >= found.end:
        raise ValueError("The range ends before it begins.")
    return found


def write_span(span: Span) -> list[str]:
    """The texts that together mean a stretch."""
    return [
        *([] if span.start is None else [f">={_shortest(span.start)}"]),
        *([] if span.end is None else [f"<{_shortest(span.end)}"]),
    ]


def _compared(sign: str, text: str, now: int) -> Span:
    stretch = _stretch(text, now)
    if _AGE.fullmatch(text):  # ages are compared, so a smaller one is a later time
        sign = sign.translate(_TURNED)
    match sign:
        case ">":
            return Span(stretch.end)
        case ">=":
            return Span(stretch.start)
        case "<":
            return Span(None, stretch.start)
        case _:
            return Span(None, stretch.end)


_TURNED: Final = str.maketrans("<>", "><")


def _stretch(text: str, now: int) -> Span:
    """A day from its first moment to its last, in UTC; the one microsecond of a time or an age."""
    if _DATE.fullmatch(text):
        return _day(text)
    if age := _AGE.fullmatch(text):
        at = max(0, now - int(age[1]) * _UNITS[age[2]])
    else:
        found = read_moment(text)
        if found is None:
            raise ValueError(f"{text[:40]!a} is no time. Allowed: {_ALLOWED}.")
        at = _checked(found, text)
    return Span(at, at + 1)


def _day(text: str) -> Span:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"There is no day {text}.") from None
    start = round(datetime.combine(day, time(), UTC).timestamp()) * MICROS
    return Span(_checked(start, text), start + _DAY)


def _checked(at: int, text: str) -> int:
    if at < 0 or int(text[:4]) > _LAST_YEAR:
        raise ValueError(f"{text} is not between the years 1970 and {_LAST_YEAR}.")
    return at


def _shortest(at: int) -> str:
    text = write_moment(at)
    if at % _DAY == 0:
        return text[:10]
    return f"{text[:-8]}Z" if at % MICROS == 0 else text
