"""JSON values as filters compare them: as texts that are equal where the values are.

No store compares by itself: what databases make of numbers, of their kinds and of texts in JSON differs.
"""

from __future__ import annotations

import json
import math
import re
from typing import Final, cast

from ferryman.domain import strictjson

_POSITION: Final = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)
_BARE: Final = re.compile(r"true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
"""What is a value of its own without quotes; everything else is a text."""
_INTEGERS_END: Final = 2**64


def text_of(value: object) -> str | None:
    """The text of a value; None for an array or an object, which equal nothing.

    Numbers have the same text where they have the same value: 42 and 42.0, but not "42" or true.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() and abs(value) < _INTEGERS_END else value
    if value is None or isinstance(value, str | int | float):
        return json.dumps(value, ensure_ascii=False)
    return None


def text_at(value: object, path: tuple[str, ...]) -> str | None:
    """The text of the value to which a path of members and positions leads; None where it leads nowhere."""
    for part in path:
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            if part not in members:
                return None
            value = members[part]
        elif isinstance(value, list):
            items = cast("list[object]", value)
            if not _POSITION.fullmatch(part) or int(part) >= len(items):
                return None
            value = items[int(part)]
        else:
            return None
    return text_of(value)


def value_of(payload: str) -> object:
    """What a payload holds; None where it is no JSON, in which nothing is found."""
    try:
        return cast("object", json.loads(payload))
    except (ValueError, RecursionError):
        return None


def read_bare(word: str) -> str | None:
    """The text of a value that was written without quotes. Raises BadNumber: no store can hold it."""
    return text_of(strictjson.parse(word.encode()) if _BARE.fullmatch(word) else word)
