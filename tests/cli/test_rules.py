"""`ferryman pause`, `resume`, `limit` and `rules`."""

from __future__ import annotations

import pytest

from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop


async def rules(bench: Bench) -> list[Rule]:
    return list(await bench.store.rules())


@pytest.mark.parametrize("command", [("pause", "mail"), ("limit", "mail", "--none"), ("rules",)])
def test_a_missing_database_is_exit_3(shop: Shop, command: tuple[str, ...]) -> None:
    result = shop.call(*command)
    assert result.code == 3
    assert "FM214" in result.err


def test_a_queue_is_paused_and_resumed(shop: Shop) -> None:
    shop.do()
    result = shop.call("pause", "mail")
    assert (result.code, result.out) == (0, "Queue mail: paused.\n")
    assert shop.one(rules) == [Rule(Scope.QUEUE, "mail", True)]
    assert shop.call("resume", "mail").out == "Queue mail: neither paused nor limited.\n"
    assert shop.one(rules) == []


def test_a_type_is_paused(shop: Shop) -> None:
    shop.do()
    told = {"scope": "type", "name": "send", "paused": True, "concurrency": None, "rate": None, "burst": None}
    assert shop.call("pause", "--type", "send", "--json").json == told


def test_a_queue_is_limited(shop: Shop) -> None:
    shop.do()
    result = shop.call("limit", "mail", "--concurrency", "5", "--rate", "30/m", "--burst", "4")
    assert result.out == "Queue mail: at most 5 at once, at most 30/m started, 4 at once after a lull.\n"
    assert shop.one(rules) == [Rule(Scope.QUEUE, "mail", limit=Limit(5, 0.5, 4))]
    assert shop.call("limit", "mail", "--rate", "36/h").code == 0
    assert shop.one(rules) == [Rule(Scope.QUEUE, "mail", limit=Limit(None, 0.01, 1))]
    assert shop.call("limit", "mail", "--rate", "5", "--json").json["rate"] == 5.0
    assert shop.call("limit", "mail", "--rate", "1000/d", "--json").json["rate"] == 1000 / 86_400
    assert shop.call("limit", "mail", "--none").out == "Queue mail: neither paused nor limited.\n"


def test_rules_are_listed(shop: Shop) -> None:
    shop.do()
    assert shop.call("rules").out == "Nothing is paused or limited.\n"
    assert shop.call("rules", "--json").out == "[]\n"
    shop.call("pause", "--type", "send")
    shop.call("limit", "mail", "--rate", "100/s", "--burst", "20")
    shop.call("limit", "post", "--concurrency", "2")
    assert shop.call("rules").rows == [
        ["queue", "mail", "100/s", "20"],
        ["queue", "post", "2"],
        ["type", "send", "yes"],
    ]
    assert [rule["name"] for rule in shop.call("rules", "--json").json] == ["mail", "post", "send"]


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("pause",), 2, "Name a queue, or a type"),
        (("pause", "mail", "--type", "send"), 2, "Name a queue, or a type"),
        (("limit", "mail"), 2, "--none"),
        (("limit", "mail", "--none", "--concurrency", "2"), 2, "--none"),
        (("limit", "mail", "--rate", "5/w"), 2, 'such as "100/s", "5/m"'),
        (("limit", "mail", "--burst", "5"), 1, "FM311"),
        (("limit", "mail", "--concurrency", "0"), 1, "FM311"),
        (("pause", "a:b"), 1, "FM311"),
    ],
)
def test_what_is_wrong_is_said(shop: Shop, command: tuple[str, ...], code: int, words: str) -> None:
    shop.do()
    result = shop.call(*command)
    assert (result.code, result.out) == (code, "")
    assert words in result.err
    assert shop.one(rules) == []
