"""Strict JSON: what is refused, what is kept, and that what is written can be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from ferryman.domain import strictjson
from ferryman.domain.errors import (
    BadNumber,
    BadText,
    DuplicateMember,
    FerrymanError,
    MalformedJson,
    NotSerialisable,
    TooDeep,
)
from ferryman.domain.secrets import Secret

clean_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | clean_texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(clean_texts, inner, max_size=4),
    max_leaves=20,
)


def nested(depth: int) -> bytes:
    return b'{"a":[' * (depth // 2) + b"[]" * (depth % 2) + b"]}" * (depth // 2)


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (b"", MalformedJson, "It is empty"),
        (b" \n", MalformedJson, "It is empty"),
        (b"\xef\xbb\xbf{}", MalformedJson, "byte order mark"),
        (b'{"a": "\xff"}', MalformedJson, "not UTF-8 at byte 7"),
        (b'"\xed\xa0\x80"', MalformedJson, "not UTF-8"),
        (b"{}".decode().encode("utf-16"), MalformedJson, "not UTF-8"),
        (b'{"a": 1,}', MalformedJson, "line 1 column"),
        (b"{} {}", MalformedJson, "Extra data"),
        (b"01", MalformedJson, "Extra data"),
        (b"{'a': 1}", MalformedJson, "double quotes"),
        (b'"a\x00b"', MalformedJson, "Invalid control character at line 1 column 3."),
        (b'"\\u00"', MalformedJson, "escape"),
        (b"[NaN]", BadNumber, "NaN"),
        (b"Infinity", BadNumber, "Infinity"),
        (b"[-Infinity]", BadNumber, "-Infinity"),
        (b"1e400", BadNumber, "1e400"),
        (b"-1e400", BadNumber, "-1e400"),
        (b"1" + b"0" * 400, BadNumber, "401 digits"),
        (b"9" * 5000, BadNumber, "5000 digits"),
        (b"18446744073709551616", BadNumber, "18446744073709551616"),
        (b"-9223372036854775809", BadNumber, "-9223372036854775809"),
        (b'{"a": 1, "b": 2, "a": 1}', DuplicateMember, "'a' twice"),
        (b'{"a": [{"b": 1, "\\u0062": 2}]}', DuplicateMember, "'b' twice"),
        (b'{"a": ["x\\u0000y"]}', BadText, "at /a/0 holds NUL"),
        (b'{"\\u0000": 1}', BadText, "NUL"),
        (b'["\\ud800"]', BadText, "at /0 holds a lone surrogate"),
        (b'{"a/b": {"~": "\\udc00"}}', BadText, "at /a~1b/~0 holds a lone surrogate"),
        (nested(65), TooDeep, "64"),
        (b"[" * 100_000, TooDeep, "64"),
    ],
)
def test_it_refuses(data: bytes, error: type[FerrymanError], said: str) -> None:
    with pytest.raises(error) as caught:
        strictjson.parse(data)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b" [1, -0, 2.5, 1e3]\n", [1, 0, 2.5, 1000.0]),
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"1e-400", 0.0),
        (b'"\\ud83d\\ude00 \\u00e9 \\\\u0000"', "\N{GRINNING FACE} é \\u0000"),
        ('"é\N{GRINNING FACE}"'.encode(), "é\N{GRINNING FACE}"),
        (b'{"a": null, "b": [true, false], "": {}}', {"a": None, "b": [True, False], "": {}}),
        (b"[" + b"{}," * 100 + b"{}]", [{}] * 101),
    ],
)
def test_it_reads(data: bytes, value: object) -> None:
    assert strictjson.parse(data) == value


def test_it_reads_64_levels() -> None:
    assert strictjson.parse(nested(64)) == json.loads(nested(64))


@given(json_values)
def test_what_is_written_is_read_back(value: object) -> None:
    assert strictjson.parse(strictjson.encode(value).encode()) == value


@given(json_values)
def test_what_others_write_is_read(value: object) -> None:
    assert strictjson.parse(json.dumps(value).encode()) == value


@given(st.binary(max_size=64) | clean_texts.map(str.encode))
def test_garbage_is_refused_with_a_code_or_read_as_the_standard_library_reads_it(data: bytes) -> None:
    try:
        value = strictjson.parse(data)
    except FerrymanError:
        return
    assert value == json.loads(data)


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: float


def test_it_writes_what_msgspec_writes() -> None:
    value = {
        "when": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        "id": UUID(int=1),
        "price": Decimal("1.10"),
        "data": b"abc",
        "colour": Colour.RED,
        "point": Point(1.5),
        "tuple": (1, None, 18446744073709551615),
        "text": "\\u0000 0000000000000000000000",
    }
    assert json.loads(strictjson.encode(value)) == {
        "when": "2026-01-02T03:04:05.000006Z",
        "id": "00000000-0000-0000-0000-000000000001",
        "price": "1.10",
        "data": "YWJj",
        "colour": "red",
        "point": {"x": 1.5},
        "tuple": [1, None, 18446744073709551615],
        "text": "\\u0000 0000000000000000000000",
    }


class Model(BaseModel):
    number: float = 1.5
    password: SecretStr | None = None


def test_it_writes_models_of_pydantic() -> None:
    assert json.loads(strictjson.encode({"a": [Model()]})) == {"a": [{"number": 1.5, "password": None}]}


def itself() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (object(), NotSerialisable, "object"),
        ({(1, 2): 3}, NotSerialisable, "keys"),
        ({None: 1}, NotSerialisable, "keys"),
        ({"a": Secret("hunter2")}, NotSerialisable, "declared as Secret[...]"),
        ([Model(password=SecretStr("hunter2"))], NotSerialisable, "would not come back"),
        ([Model(number=float("nan"))], BadNumber, "at /0/number is nan"),
        ([float("nan")], BadNumber, "at /0 is nan"),
        ({"a": {"b": float("-inf")}}, BadNumber, "at /a/b is -inf"),
        (Point(float("inf")), BadNumber, "at /x is inf"),
        ({"n": 10**400}, BadNumber, "at /n does not fit"),
        ([2**64], BadNumber, "64 bits"),
        ([-(2**63) - 1], BadNumber, "64 bits"),
        ({"a": ["x\0"]}, BadText, "at /a/0 holds NUL"),
        ({"\0": 1}, BadText, "NUL"),
        ({1: "\0"}, BadText, "at /1 holds NUL"),
        (["\ud800"], BadText, "surrogate"),
        (msgspec.json.decode(nested(65)), TooDeep, "64"),
        (itself(), TooDeep, "64"),
    ],
)
def test_it_does_not_write(value: object, error: type[FerrymanError], said: str) -> None:
    with pytest.raises(error) as caught:
        strictjson.encode(value)
    assert said in str(caught.value)


def test_it_writes_64_levels_and_null() -> None:
    value = [None, json.loads(nested(63))]
    assert json.loads(strictjson.encode(value)) == value
