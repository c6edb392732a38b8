"""JSON that a page must show as it is, digit by digit and level by level; and JSON that no store takes."""

from __future__ import annotations

import json
from typing import Any, Final

from ferryman.domain.strictjson import MAX_DEPTH

MOST_BYTES: Final = 1024 * 1024
"""What MAX_BODY and MAX_RESULT are, unless somebody says otherwise."""

NUMBERS: Final = {
    "beyond doubles": "9007199254740993",
    "twenty digits": "12345678901234567890",
    "largest": "18446744073709551615",
    "smallest": "-9223372036854775808",
    "with its zeros": "0.1000",
    "with a point": "1.0",
    "with an exponent": "1E5",
    "largest double": "1.7976931348623157e308",
    "smallest double": "5e-324",
    "minus zero": "-0.0",
    "more digits than a double has": "3.14159265358979323846264338327950288419716939937510",
}
"""As they are written, by what is special about them."""
NAMES: Final = (
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "then",
    "",
    " ",
    "a b",
    "0",
    "-1",
)
"""Of members: what an object of JavaScript has already, and what looks like something else."""
REFUSED: Final = {
    "beyond all doubles": '{"n":1e400}',
    "beyond 64 bits": '{"n":18446744073709551616}',
    "NUL": '{"text":"a\\u0000b"}',
    "half a character": '{"text":"\\ud800"}',
    "no number": '{"n":NaN}',
    "named twice": '{"n":1,"n":2}',
    "too deep": f'{{"deep":{"[" * MAX_DEPTH}{"]" * MAX_DEPTH}}}',
}
"""What no store is ever asked to keep, so that no page has to show it."""


def exact() -> str:
    """Every number, written as above."""
    return f"{{{','.join(f'{json.dumps(name)}:{digits}' for name, digits in NUMBERS.items())}}}"


def members() -> str:
    """Every name, as a member of objects within objects."""
    inner: dict[str, Any] = {name: {"polluted": True} for name in NAMES}
    return json.dumps({"names": inner, **{name: name for name in NAMES if name}})


def deepest() -> str:
    """As deep as JSON may be: lists and objects in turns."""
    value: object = "bottom"
    for level in range(MAX_DEPTH - 1):
        value = [value] if level % 2 else {"down": value}
    return json.dumps({"deep": value})


def largest() -> str:
    """Nearly as long as a payload may be: rows of a table, each with lists of its own."""
    row = {
        "id": 2**63,
        "name": "Zoë <b>Müller</b>",
        "parts": [[0.5, None, True], {"of": ["a", "b"]}],
        "text": "x" * 100,
    }
    text = json.dumps(row, ensure_ascii=False)
    count = (MOST_BYTES - 1024) // (len(text.encode()) + 1)
    return f'{{"rows":[{",".join([text] * count)}]}}'


def longest_word() -> str:
    """One text in which no line can be broken."""
    return json.dumps({"word": "Donaudampfschifffahrt" * 10_000})


def widest() -> str:
    """An object with very many members."""
    return json.dumps({f"member {number}": number for number in range(10_000)})
