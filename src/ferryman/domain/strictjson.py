"""JSON without the parts on which readers disagree, because every store and every client must read it alike.

Refused: NaN and Infinity, numbers that a double or 64 bits cannot hold, members named twice, NUL and lone
surrogates in texts, nesting deeper than 64, anything that is not UTF-8.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NoReturn, cast

import msgspec

from ferryman.domain import models
from ferryman.domain.errors import BadNumber, BadText, DuplicateMember, MalformedJson, NotSerialisable, TooDeep
from ferryman.domain.secrets import Secret

MAX_DEPTH: Final = 64
INTEGERS: Final = range(-(2**63), 2**64)
"""Every integer that JSON readers with 64-bit integers can hold, signed or unsigned."""

_MAX_DIGITS: Final = 20
"""No integer of 64 bits is written longer; a longer one is refused unread, as reading it takes quadratic time."""

_ZEROS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_LONG: Final = b"0" * 19
"""What every integer beyond 64 bits holds once its digits are turned to zeros."""

Way = tuple["Way", "str | int"] | None
"""The members and positions that lead to a value, the last one outermost."""


def parse(data: bytes) -> object:
    """Read one JSON value.

    Raises:
        MalformedJson: it is not JSON in UTF-8.
        BadNumber: NaN, Infinity, 1e400, or an integer beyond 64 bits.
        DuplicateMember, BadText, TooDeep: as the module says.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedJson("This is not JSON.", why=f"It is not UTF-8 at byte {error.start}.") from None
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedJson("This is not JSON.", why=_why(text, error)) from None
    except RecursionError:
        raise _too_deep() from None
    # an unescaped NUL is no JSON, and an unescaped surrogate no UTF-8: only an escape can hide one
    if b"\\u" in data or _may_be_deep(data):
        _examine(value)
    return value


def encode(value: object) -> str:
    """Write a value as JSON text; dates, UUID, Decimal, bytes, Enum, dataclasses and structs as msgspec does.

    Models of pydantic are written as `models.dump` says. A Secret is not written: who may read it is not known here.

    Raises:
        NotSerialisable: something in it has no JSON form.
        BadNumber: NaN, an infinity, or an integer beyond 64 bits.
        BadText: a text holds NUL or a lone surrogate.
        TooDeep: it is nested deeper than 64, or contains itself.
    """
    try:
        data = _ENCODER.encode(value)
    except UnicodeEncodeError:
        raise BadText("A text holds a lone surrogate.", hint="Half a surrogate pair is no character.") from None
    except RecursionError:
        raise _too_deep() from None
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise NotSerialisable("A value has no JSON form.", why=_sentence(error)) from None
    text = data.decode()
    # msgspec writes NaN and infinities as null, and integers of any size; a text is searched faster than bytes
    if "null" in text or "\\u0000" in text or _may_be_long(data) or _may_be_deep(data):
        _examine(msgspec.to_builtins(value, enc_hook=_foreign))
    return text


def _foreign(value: object) -> object:
    """JSON values for what msgspec does not know."""
    if models.is_model(type(value)):
        return models.dump(cast("models.Model", value))
    if isinstance(value, Secret):
        raise NotSerialisable(
            "A Secret is not written as JSON.",
            why="It would be there for all to read.",
            hint="Only a handler's parameter can take one, declared as Secret[...]; else say reveal().",
        )
    msgspec.json.encode(value)  # says what is wrong with it; what msgspec knows comes here only as the key of a dict
    raise TypeError("Only dicts with keys that are texts or numbers have a JSON form")


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_foreign)


# -- reading -----------------------------------------------------------------------------------------


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        [(twice, _)] = Counter(name for name, _ in members).most_common(1)
        raise DuplicateMember(f"An object names its member {twice!a} twice.", hint="Send each member once.")
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS or (value := int(digits)) not in INTEGERS:
        raise _beyond(f"The integer {_short(digits)}")
    return value


def _double(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise BadNumber(f"The number {_short(digits)} is too large.", why="The largest is about 1.8e308.")
    return value


def _constant(name: str) -> NoReturn:
    raise BadNumber(f"{name} is not a JSON number.", hint="Send null, or leave the member out.")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_double, parse_constant=_constant
)


# -- what the parsers let through --------------------------------------------------------------------


def _may_be_deep(data: bytes) -> bool:
    """Whether there are brackets enough to nest too deep; most values have fewer altogether."""
    return len(data) > MAX_DEPTH and data.count(b"[") + data.count(b"{") > MAX_DEPTH


def _may_be_long(data: bytes) -> bool:
    """Whether there are digits enough for an integer beyond 64 bits."""
    return len(data) >= len(_LONG) and _LONG in data.translate(_ZEROS)


def _examine(root: object) -> None:
    """Look at every text, number and level of a value. Raises BadText, BadNumber or TooDeep, saying where."""
    ahead: list[tuple[object, int, Way]] = [(root, 0, None)]
    while ahead:
        value, depth, way = ahead.pop()
        if isinstance(value, str):
            _check_text(value, way)
        elif isinstance(value, int | float):
            _check_number(value, way)
        elif isinstance(value, dict | list):
            if depth == MAX_DEPTH:
                raise _too_deep()
            members = _members(cast("dict[Any, object] | list[object]", value), way)
            ahead.extend((member, depth + 1, (way, name)) for name, member in members)


def _members(value: dict[Any, object] | list[object], way: Way) -> Iterator[tuple[str | int, object]]:
    """What a container holds, by name or position; names that are texts are checked too."""
    if isinstance(value, list):
        yield from enumerate(value)
        return
    for name, member in value.items():
        if isinstance(name, str):
            _check_text(name, way)
        yield name, member


def _check_text(text: str, way: Way) -> None:
    if "\0" in text:
        raise BadText(f"A text{_at(way)} holds NUL.", why="Not every store can keep it.", hint="Leave U+0000 out.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise BadText(f"A text{_at(way)} holds a lone surrogate.", hint="Half a surrogate pair is no character.")


def _check_number(value: float, way: Way) -> None:
    if isinstance(value, int):
        if value not in INTEGERS:
            raise _beyond(f"The integer{_at(way)}")
    elif not math.isfinite(value):
        raise BadNumber(f"A number{_at(way)} is {value}.", why="JSON has no such number.", hint="Use None instead.")


# -- words -------------------------------------------------------------------------------------------


def _at(way: Way) -> str:
    """Where a value is, as a JSON pointer (RFC 6901)."""
    steps: list[str] = []
    while way is not None:
        way, step = way
        steps.append(ascii(str(step))[1:-1].replace("~", "~0").replace("/", "~1"))
    return f" at /{'/'.join(reversed(steps))}" if steps else ""


def _why(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "It is empty."
    if text.startswith("\ufeff"):
        return "It begins with a byte order mark."
    return f"{error.msg.removesuffix(' at')} at line {error.lineno} column {error.colno}."


def _too_deep() -> TooDeep:
    return TooDeep(f"The JSON is nested deeper than {MAX_DEPTH}.")


def _beyond(what: str) -> BadNumber:
    return BadNumber(f"{what} does not fit into 64 bits.", hint="Send it as a string.")


def _short(digits: str) -> str:
    return digits if len(digits) <= 24 else f"{digits[:20]}... ({len(digits)} digits)"


def _sentence(error: Exception) -> str:
    text = str(error).rstrip(".") or type(error).__name__
    return f"{text}."
