"""What the options of a job may be: each check gives its value back, or says what is allowed instead.

Every check raises BadOption and nothing else, whatever it is given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import index
from typing import Final, SupportsIndex, TypeGuard, TypeVar, cast

from ferryman.domain.errors import BadOption
from ferryman.domain.job import MICROS, PRIORITIES, AfterCrashes

Word = TypeVar("Word", bound=StrEnum)

MAX_ATTEMPTS: Final = 1000
MAX_TAGS: Final = 20
MAX_DELAY: Final = 10 * 366 * 24 * 3600
"""Ten years, in seconds."""
RATE_MIN: Final = 1 / MAX_DELAY
"""One in ten years: the time of the next one is still a time."""
RATE_MAX: Final = 1e6
COUNT_MAX: Final = 1_000_000
AMOUNT_END: Final = 2**63

_QUEUE: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
"""Without a colon, which parts a queue from its share of the workers in QUEUES."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VISIBLE: Final = re.compile(r"[!-~]{1,255}")
_RATE: Final = re.compile(r"(\d{1,7}(?:\.\d{1,6})?)(?:/([smhd]))?", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
"""How many each unit of a rate has, the shortest first."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - what is written from it says Z
_SHOWN: Final = 80


def refused(option: str, value: object, allowed: str, hint: str = "") -> BadOption:
    """The error for a value that is not allowed."""
    try:
        shown = ascii(value)
    except Exception:  # a foreign __repr__ may raise anything
        shown = f"a {type(value).__name__}"
    shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."
    return BadOption(f"{option} cannot be {shown}.", why=f"Allowed: {allowed}.", hint=hint)


def amount(option: str, value: object) -> int | float:
    """How much of something there is."""
    if isinstance(value, float) and math.isfinite(value) and value >= 0:
        return float(value)
    if isinstance(value, SupportsIndex) and not isinstance(value, bool) and 0 <= (whole := index(value)) < AMOUNT_END:
        return whole
    raise refused(option, value, f"a number from 0 to {AMOUNT_END - 1}")


def message(value: object) -> str:
    """What people are told; what a store cannot keep of it is written out later."""
    if isinstance(value, str):
        return value
    raise refused("message", value, "a text")


def queue(value: object) -> str:
    """The name of a queue."""
    if isinstance(value, str) and _QUEUE.fullmatch(value):
        return value
    raise refused("queue", value, "1 to 128 of a-z, A-Z, 0-9, _ . and -")


def type_name(value: object) -> str:
    """The name of a type."""
    return name_of("type", value)


def name_of(option: str, value: object) -> str:
    """A name that fits into a path: of a type, of a schedule."""
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise refused(option, value, "1 to 128 of a-z, A-Z, 0-9, _ . : and -")


def text(option: str, value: object) -> str:
    """Any text that a store can keep."""
    if isinstance(value, str) and is_clean(value):
        return value
    raise refused(option, value, "a text without NUL")


def one_of(option: str, value: object, kind: type[Word]) -> Word:
    """One of a few words."""
    for each in kind:
        if each == value:
            return each
    raise refused(option, value, ", ".join(kind))


def flag(option: str, value: object) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    raise refused(option, value, "true or false")


def job_id(value: object) -> str:
    """A job's id as its caller minted it."""
    if isinstance(value, str) and is_id(value):
        return value
    raise refused("id", value, "a UUID in lower case, such as 01890a5d-ac96-774b-bcce-b302099a8057")


def is_id(text: str) -> bool:
    """Whether a text can be the id of a job."""
    return _ID.fullmatch(text) is not None


def priority(value: object) -> int:
    """0 runs first, 9 last."""
    if _is_integer(value) and value in PRIORITIES:
        return value
    raise refused("priority", value, "an integer from 0 (runs first) to 9")


def max_attempts(value: object) -> int:
    """How often a job may be tried."""
    if _is_integer(value) and 1 <= value <= MAX_ATTEMPTS:
        return value
    raise refused("max_attempts", value, f"an integer from 1 to {MAX_ATTEMPTS}")


def after_crashes(value: object) -> AfterCrashes:
    """(how often in a row a job's node may die under it, the queue to which the job goes then)."""
    shown = value
    given = cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()
    if len(given) == 2 and _is_integer(given[0]) and 1 <= given[0] <= MAX_ATTEMPTS:
        return AfterCrashes(given[0], queue(given[1]))
    raise refused("after_crashes", shown, 'how often and where to, such as (3, "poison")')


def whole(option: str, value: object, most: int) -> int:
    """A number of things."""
    if _is_integer(value) and 0 <= value <= most:
        return value
    raise refused(option, value, f"an integer from 0 to {most}")


def timeout(value: object) -> float:
    """Seconds that one run may take."""
    if _is_number(value) and 0 < value <= MAX_DELAY:
        return float(value)
    raise refused("timeout", value, "a number of seconds above 0, at most ten years")


def seconds_of(option: str, value: object) -> float:
    """A delay, given as seconds or a timedelta."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if _is_number(seconds) and 0 <= seconds <= MAX_DELAY:
        return float(seconds)
    raise refused(option, value, "seconds or a timedelta from 0 to ten years")


def rate(value: object) -> float:
    """So many a second, from a number or a text such as "5/m"."""
    per_second = value
    if isinstance(value, str) and (found := _RATE.fullmatch(value)):
        per_second = float(found[1]) / _SECONDS[found[2] or "s"]
    if _is_number(per_second) and RATE_MIN <= per_second <= RATE_MAX:
        return float(per_second)
    words = 'a number a second, or a text such as "100/s", "5/m", "20/h" or "1000/d"'
    raise refused("rate", value, f"{words}; at most {RATE_MAX:.0f} a second, at least one in ten years")


def rate_in_words(per_second: float) -> str:
    """The text that `rate` reads as so many a second, by the shortest time that makes a round number of it.

    So it is 1/h, not 0.000278/s, and 1000/d, not 41.66667/h.
    """
    many = {unit: per_second * seconds for unit, seconds in _SECONDS.items()}
    whole = [unit for unit, number in many.items() if number > 1 - 1e-6] or ["d"]
    unit = next((unit for unit in whole if math.isclose(many[unit], round(many[unit], 1))), whole[0])
    return f"{many[unit]:.7g}/{unit}"


def count(option: str, value: object, most: int = COUNT_MAX) -> int:
    """How many there are to be, for an option of this name."""
    if _is_integer(value) and 1 <= value <= most:
        return value
    raise refused(option, value, f"an integer from 1 to {most}")


def moment_of(option: str, value: object) -> int:
    """A time given as a datetime with its zone, in microseconds."""
    if isinstance(value, datetime) and value.utcoffset() is not None:
        since = value - _EPOCH
        return (since.days * 86_400 + since.seconds) * MICROS + since.microseconds
    hint = "Write datetime.now(timezone.utc), or add tzinfo=." if isinstance(value, datetime) else ""
    raise refused(option, value, "a datetime that knows its time zone", hint)


def moment_text(micros: int) -> str:
    """A time as RFC 3339 in UTC, always with six digits of a second."""
    return f"{(_NAIVE_EPOCH + timedelta(0, 0, micros)).isoformat('T', 'microseconds')}Z"


def moment(option: str, value: object, now: int) -> int:
    """A time in microseconds: not before 1970, at most ten years ahead."""
    if _is_integer(value) and 0 <= value <= now + MAX_DELAY * MICROS:
        return value
    raise refused(option, value, "a time from 1970 to ten years from now")


def unique_key(value: object) -> str:
    """Holds among the live jobs of one type."""
    if isinstance(value, str) and 1 <= len(value) <= 256 and is_clean(value):
        return value
    raise refused("unique_key", value, "a text of 1 to 256 characters without NUL")


def key(value: object) -> str:
    """Whose gate lets the job in."""
    if isinstance(value, str) and 1 <= len(value) <= 200 and is_clean(value):
        return value
    raise refused("key", value, "a text of 1 to 200 characters without NUL")


def idempotency_key(value: object) -> str:
    """Names one request, however often it is sent."""
    if isinstance(value, str) and _VISIBLE.fullmatch(value):
        return value
    raise refused("idempotency_key", value, "1 to 255 visible ASCII characters")


def tags(value: object) -> tuple[str, ...]:
    """Words to find jobs by; one said twice counts once."""
    if not isinstance(value, list | tuple):
        raise refused("tags", value, "a list of texts")
    given = cast("Collection[object]", value)
    if len(given) > MAX_TAGS:
        raise refused("tags", given, f"at most {MAX_TAGS} of them")
    return tuple(dict.fromkeys(_tag(each) for each in given))


def _tag(value: object) -> str:
    if isinstance(value, str) and 1 <= len(value) <= 64 and is_clean(value):
        return value
    raise refused("a tag", value, "a text of 1 to 64 characters without NUL")


def _is_integer(value: object) -> TypeGuard[int]:
    """Whether a value is an integer; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number; True and False are not."""
    return _is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def is_clean(text: str) -> bool:
    """Whether any store can keep a text."""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
