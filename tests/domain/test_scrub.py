"""Secrets are found in texts however they are spelled there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from pydantic import BaseModel

from ferryman.domain.scrub import scrubber
from ferryman.domain.secrets import Secret

HARD = "p'a\"s\\s \t wörd/ü?&\u20ac"


class Login(BaseModel):
    user: str
    codes: list[str]


class Struct(msgspec.Struct):
    inner: str


@dataclass
class Card:
    number: str
    until: date


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


SPELLINGS: list[tuple[Callable[[str], object], str]] = [
    (str, "***"),
    (repr, "'***'"),
    (ascii, "'***'"),
    (json.dumps, "'***'"),
    (lambda text: json.dumps(text, ensure_ascii=False), "'***'"),
    (lambda text: quote(text, safe=""), "***"),
    (lambda text: text.encode(), "b'***'"),
    (lambda text: {"a": [text]}, "{'a': ['***']}"),
    (KeyError, "'***'"),
]


@pytest.mark.parametrize("secret", [HARD, "hunter2", "line one\nline two", "a'b'c'd"])
@pytest.mark.parametrize(("spell", "shown"), SPELLINGS)
def test_a_secret_text_is_found_in_every_spelling(spell: Callable[[str], object], shown: str, secret: str) -> None:
    assert scrubber([secret])(f"got {spell(secret)}.").replace('"', "'") == f"got {shown}."


def test_every_line_of_a_secret_is_found_alone() -> None:
    key = "-----BEGIN-----\n  MIIEvQIBADAN\nBgkqhkiG\n-----END-----\n"
    assert scrubber([key])("  | MIIEvQIBADAN\n  | BgkqhkiG") == "  | ***\n  | ***"


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ({"user": "alice", "codes": ["1234", "98"]}, "alice 1234 98", "*** *** 98"),
        ({"n": 1, "m": "x"}, "got {'n': 1, 'm': 'x'}", "got ***"),
        ({"n": 1, "m": "x"}, 'got {"n":1,"m":"x"}', "got ***"),
        ([1, 2, 3], "[1, 2, 3] or [1,2,3], 1", "*** or ***, 1"),
        ({"alpha", "beta"}, "alpha beta gamma", "*** *** gamma"),
        (12345, "pin 12345", "pin ***"),
        (Decimal("12.50"), "12.50 Decimal('12.50')", "*** ***"),
        (date(2030, 1, 2), "2030-01-02 datetime.date(2030, 1, 2)", "*** ***"),
        (b"hunter2", "hunter2 b'hunter2' aHVudGVyMg==", "*** *** ***"),
        (Login(user="alice", codes=["c0de"]), "alice c0de user='alice' codes=['c0de']", "*** *** ***"),
        (Struct("deep"), "deep Struct(inner='deep')", "*** ***"),
        (Card("4111-1111", date(2030, 1, 2)), "4111-1111 2030-01-02", "*** ***"),
        (Secret("hunter2"), "hunter2", "***"),
        (Secret({"a": Secret("hunter2")}), "hunter2", "hunter2"),
        ("abc", "abcdef", "abcdef"),
        (None, "None null", "None null"),
        (True, "True true", "True true"),
        (12, "line 12, 121212", "line 12, 121212"),
        (Hostile(), "anything", "anything"),
        ([None, True, "x", 7], "None True x 7", "None True x 7"),
    ],
)
def test_what_a_secret_holds_is_found_and_what_is_short_is_left(secret: Any, text: str, shown: str) -> None:
    assert scrubber([secret])(text) == shown


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert scrubber(["hunter", "hunter2"])("hunter2 hunter") == "*** ***"


def test_without_secrets_texts_are_as_they_were() -> None:
    assert scrubber([])("hunter2") == "hunter2"
