from __future__ import annotations

import json
from typing import Any

import pytest

from ferryman.domain import options
from ferryman.domain.errors import BadOption
from ferryman.domain.keyed import KeyedByArgument, KeyedByFunction, as_key, gate_rule
from ferryman.domain.keys import GateRule, OnFailure

ANY = GateRule()


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, GateRule()),
        ({"concurrency": 3}, GateRule(concurrency=3)),
        ({"rate": 100}, GateRule(rate=100.0, burst=100)),
        ({"rate": 0.5}, GateRule(rate=0.5, burst=1)),
        ({"rate": "100/s", "burst": 20}, GateRule(rate=100.0, burst=20)),
        ({"rate": "5/m"}, GateRule(rate=5 / 60, burst=1)),
        ({"rate": "90/h"}, GateRule(rate=90 / 3600, burst=1)),
        ({"rate": "1.5/d", "concurrency": 1}, GateRule(concurrency=1, rate=1.5 / 86_400, burst=1)),
        ({"sequence": True, "concurrency": 1}, GateRule(strict=True)),
        ({"share": 1000, "concurrency": 2}, GateRule(concurrency=2, share=1000)),
        ({"sequence": True, "on_failure": None}, GateRule(strict=True)),
        ({"sequence": True, "on_failure": "pass"}, GateRule(strict=True, on_failure=OnFailure.PASS)),
    ],
)
def test_a_rule_is(given: dict[str, Any], rule: GateRule) -> None:
    assert gate_rule(**given) == rule


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": True}, "concurrency"),
        ({"concurrency": 1.5}, "concurrency"),
        ({"rate": 0}, "rate"),
        ({"rate": -1}, "rate"),
        ({"rate": True}, "rate"),
        ({"rate": "fast"}, "rate"),
        ({"rate": "100/x"}, "rate"),
        ({"rate": "0/s"}, "rate"),
        ({"rate": 10**9}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"rate": 1, "burst": 0}, "burst"),
        ({"burst": 5}, "burst"),
        ({"sequence": 1}, "sequence"),
        ({"sequence": True, "rate": 1}, "sequence"),
        ({"sequence": True, "concurrency": 2}, "sequence"),
        ({"sequence": True, "on_failure": "ignore"}, "on_failure cannot be 'ignore'"),
        ({"sequence": True, "on_failure": []}, "on_failure cannot be"),
        ({"on_failure": "pass"}, "only for a sequence"),
        ({"rate": 1, "on_failure": "hold"}, "only for a sequence"),
        ({"sequence": True, "share": 2}, "sequence"),
        ({"share": 0}, "share"),
        ({"share": 1001}, "share"),
    ],
)
def test_a_rule_cannot_be(given: dict[str, Any], told: str) -> None:
    with pytest.raises(BadOption, match=told):
        gate_rule(**given)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (None, None),
        ("acme", "acme"),
        (7, "7"),
        (True, "true"),
        (1.5, "1.5"),
        ([1, "a"], '[1,"a"]'),
        ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
    ],
)
def test_a_value_as_a_key(value: object, key: str | None) -> None:
    assert as_key(value) == key
    payload = json.dumps({"who": value})
    assert KeyedByArgument(ANY, "who").key_of(payload) == key


@pytest.mark.parametrize("value", ["", "a" * 201, "a\0b", "\ud800", object(), ["a" * 300]])
def test_what_is_no_key(value: object) -> None:
    with pytest.raises(BadOption, match="key cannot be"):
        as_key(value)


def test_a_key_is_a_text_of_at_most_200_characters() -> None:
    assert options.key("é" * 200) == "é" * 200
    with pytest.raises(BadOption, match="key cannot be 7"):
        options.key(7)


def test_an_argument_that_is_not_given_has_its_default() -> None:
    assert KeyedByArgument(ANY, "who", "all").key_of("{}") == "all"
    assert KeyedByArgument(ANY, "who", "all").key_of('{"who":null}') is None
    assert KeyedByArgument(ANY, "who").key_of("{}") is None
    assert KeyedByArgument(ANY).key_of('{"who":1}') is None


def test_a_function_gives_the_key() -> None:
    keyed = KeyedByFunction(ANY, lambda who, n=1: f"{who}/{n % 2}", json.loads)
    assert keyed.key_of('{"who":"a","n":3}') == "a/1"
    with pytest.raises(BadOption, match="raised") as caught:
        keyed.key_of('{"other":1}')
    assert "TypeError" in str(caught.value)
