"""From what a person typed to the payload of a job."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Final, cast

import click

from ferryman.domain import options, strictjson
from ferryman.domain.errors import MalformedJson, PayloadTooLarge

_NO_JSON: Final = frozenset({"NaN", "Infinity", "-Infinity"})
"""Some readers take these words for JSON; here they are texts."""


def payload_of_pairs(pairs: Iterable[str]) -> str:
    """The payload of NAME=VALUE pairs.

    Raises:
        click.UsageError: one is no pair, or a name comes twice.
        EnqueueError: a value is JSON that no store takes.
    """
    members: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{pair!r} is not NAME=VALUE. A whole payload goes after --payload.")
        if name in members:
            raise click.UsageError(f"The argument {name} is given twice.")
        members[name] = _value(value)
    return strictjson.encode(members)


def _value(text: str) -> object:
    """JSON where it is JSON, else the text itself."""
    if text in _NO_JSON:
        return text
    try:
        return strictjson.parse(text.encode("utf-8", "surrogateescape"))
    except MalformedJson:
        return text


def payload_of_json(text: bytes) -> str:
    """The payload that a JSON text holds.

    Raises:
        BadOption: it is no object.
        MalformedJson, DuplicateMember, BadNumber, BadText, TooDeep: it is not strict JSON.
    """
    value = strictjson.parse(text)
    if not isinstance(value, dict):
        raise options.refused("payload", value, "a JSON object, whose members are the handler's keyword arguments")
    return strictjson.encode(cast("dict[str, object]", value))


def read_bounded(stream: IO[bytes], most: int) -> bytes:
    """Everything that a stream holds. Raises PayloadTooLarge: more than `most` bytes."""
    return within(stream.read(most + 1), most)


def within(data: bytes, most: int) -> bytes:
    """The data itself. Raises PayloadTooLarge: more than `most` bytes."""
    if len(data) <= most:
        return data
    raise PayloadTooLarge(
        f"The payload has more than {most} bytes.",
        why=f"MAX_BODY allows {most}.",
        hint="Store large data elsewhere and enqueue where it is.",
    )
