"""Takes secrets out of texts that others will read, such as the message and the traceback of a handler.

A text is found as it is and as Python's repr, JSON and URLs spell it, whole and line by line. What a handler
made of it (a hash, another encoding, a half) is not found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Final, cast

import msgspec

from ferryman.domain import models
from ferryman.domain.secrets import MASK, Secret

SHORTEST: Final = 4
"""Characters; what is shorter stands in every text by chance."""

_RESERVED: Final = re.compile(rb"[^A-Za-z0-9_.~-]")


def scrubber(values: Iterable[object]) -> Callable[[str], str]:
    """Gives back a text with `***` wherever one of the values was spelled out."""
    spelled = {each for value in values for text in _texts(value) for each in _spellings(text)}
    found = sorted((each for each in spelled if len(each) >= SHORTEST), key=len, reverse=True)

    def scrub(text: str) -> str:
        for each in found:
            text = text.replace(each, MASK)
        return text

    return scrub


def _texts(value: object) -> Iterator[str]:
    """Every text in a value, and the value itself as text."""
    if isinstance(value, Secret):
        yield from _texts(cast("Secret[object]", value).reveal())
    elif isinstance(value, str):
        yield value
        yield from map(str.strip, value.splitlines())
    elif value is not None and not isinstance(value, bool):
        yield from _whole(value)
        if isinstance(value, bytes | bytearray):
            yield value.decode(errors="replace")
        for each in _members(value):
            yield from _texts(each)


def _whole(value: object) -> Iterator[str]:
    """A value that is no text, as Python and JSON write it."""
    for write in (str, repr, _json):
        with suppress(Exception):  # the value is foreign, and writing it may do anything
            yield write(value)


def _json(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=models.dump).decode().strip('"')


def _members(value: object) -> Iterable[object]:
    """What a value holds, where it holds other values."""
    try:
        plain = msgspec.to_builtins(value, enc_hook=models.dump)
    except Exception:
        return ()
    if isinstance(plain, dict):
        return cast("dict[Any, object]", plain).values()
    return cast("list[object]", plain) if isinstance(plain, list | tuple) else ()


def _spellings(text: str) -> Iterator[str]:
    """How the same text looks inside other texts."""
    yield text
    yield repr(text)[1:-1]
    yield ascii(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield json.dumps(text)[1:-1]
    data = text.encode(errors="replace")
    yield repr(data)[2:-1]
    yield _RESERVED.sub(lambda found: b"%%%02X" % ord(found[0]), data).decode()
