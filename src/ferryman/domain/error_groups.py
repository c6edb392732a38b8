"""Which failures are one and the same: the fingerprint of an error.

Two runs have failed of the same where the exception, what it says and the place in the user's code are the same; what
a message says of one job alone, such as its numbers, ids and paths, does not count.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

import msgspec

from ferryman.domain.job import JobError

LOOKED_AT: Final = 1000
"""Characters of a message that count; whatever comes after them is no reason for a group of its own."""
MESSAGE_MAX: Final = 200
"""Characters that are kept of what is left of it."""
NAME_MAX: Final = 100
"""Characters of an exception's name, and of a place."""
BYTES: Final = 8
_GROUP: Final = re.compile(f"[0-9a-f]{{{2 * BYTES}}}")
_SPACE: Final = re.compile(r"\s+")
_ONE_OF_MANY: Final = re.compile(
    r"""
    (?P<url>\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s'"<>]+)
    | (?P<email>[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)
    | (?P<uuid>\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b)
    | (?P<text>(?<!\w)(?:
        '(?:\\.|[^'\\]|'(?=\w))*(?:'|\\?\Z) | "(?:\\.|[^"\\]|"(?=\w))*(?:"|\\?\Z) | `[^`]*(?:`|\Z)))
    | (?P<path>(?<![\w/\\])(?:[A-Za-z]:[/\\]|~?/|\.{1,2}/|\\\\)[^\s'"<>:,;)]+)
    | (?P<hex>\b0[xX][0-9A-Fa-f]+\b)
    | (?P<ip>\b(?:[0-9A-Fa-f]{1,4}:){3,7}:?[0-9A-Fa-f]{0,4}\b)
    | (?P<n>\b(?=[A-Fa-f]*\d)(?:[0-9A-Fa-f]{2}){4,}\b | \d+(?:[.,:-]\d+)*)  # a digest may have digits alone, by chance
    """,
    re.VERBOSE | re.DOTALL,
)
"""What differs from job to job, by what is said instead."""


class Group(msgspec.Struct, frozen=True):
    """What the errors of a group have in common."""

    id: str
    """The fingerprint: 16 hexadecimal digits."""
    exception: str
    code: str
    message: str
    """With `<n>`, `<text>` and the like for what differs from job to job."""
    frame: str | None
    """The place in the user's code, such as mail.py:send; None where nobody knows."""


def group_of(error: JobError) -> Group:
    """The group of an error. Pure: equal errors have equal groups, on every machine."""
    exception, frame = error.type[:NAME_MAX], None if error.frame is None else error.frame[:NAME_MAX]
    message = general(error.message)
    parts = "\0".join((exception, error.code, message, frame or ""))
    id = blake2b(parts.encode("utf-8", "backslashreplace"), digest_size=BYTES).hexdigest()
    return Group(id, exception, error.code, message, frame)


def general(message: str) -> str:
    """What a message says of every job of which it is said: no numbers, ids, addresses, paths and quoted texts."""
    spaced = _SPACE.sub(" ", message[:LOOKED_AT]).strip()
    text = _ONE_OF_MANY.sub(lambda found: f"<{found.lastgroup}>", spaced)
    return text if len(text) <= MESSAGE_MAX else f"{text[: MESSAGE_MAX - 3]}..."


def is_group(text: str) -> bool:
    """Whether a text could be the id of a group."""
    return _GROUP.fullmatch(text) is not None
