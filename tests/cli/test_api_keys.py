"""`ferryman api-keys`: who may use the HTTP API."""

from __future__ import annotations

import re

import pytest

from ferryman.domain.access import ApiKey, read_text
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop

TEXT = re.compile(r"ferryman_[0-9a-f]{16}_[A-Za-z0-9_-]{43}\n")


async def keys(bench: Bench) -> list[ApiKey]:
    return list(await bench.store.api_keys())


def test_a_key_is_made_and_alone_on_stdout(shop: Shop) -> None:
    told = shop.call("api-keys", "add", "web", "--scope", "read", "--scope", "enqueue")
    assert told.code == 0
    assert TEXT.fullmatch(told.out)
    assert "Bearer" in told.err
    [key] = shop.one(keys)
    shown = read_text(told.out.strip())
    assert shown is not None
    assert shown.opens(key)
    assert told.out.strip()[26:] not in repr(key), "the secret is stored nowhere"


def test_programs_get_json(shop: Shop) -> None:
    many = ("--queue", "mail", "--queue", "letters", "--expires", "90d", "--rate", "30/m", "--burst", "7")
    added = shop.call("api-keys", "add", "web", "--scope", "operate", *many, "--quota", "9", "--json").json
    assert TEXT.fullmatch(added.pop("key") + "\n")
    assert added == {
        "id": added["id"],
        "name": "web",
        "scopes": ["operate"],
        "queues": ["letters", "mail"],
        "rate": 0.5,
        "burst": 7,
        "quota": 9,
        "quota_taken": 0,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "expires_at": "2026-04-01T00:00:00.000000Z",
        "last_used_at": None,
        "live": True,
    }
    assert shop.call("api-keys", "ls", "--json").json == [added]
    shop.clock.advance(1)
    rotated = shop.call("api-keys", "rotate", "web", "--grace", "5m", "--json").json
    assert rotated["id"] != added["id"]
    assert shop.call("api-keys", "ls", "--json").json[0]["expires_at"] == "2026-01-01T00:05:01.000000Z"
    assert shop.call("api-keys", "revoke", "web", "--json").json == {"revoked": 2}
    assert [key["live"] for key in shop.call("api-keys", "ls", "--json").json] == [False, False]


def test_ls_says_who_may_do_what(shop: Shop) -> None:
    assert shop.call("api-keys", "add", "a", "--scope", "admin").code == 0
    shop.call("api-keys", "add", "b", "--scope", "read", "--queue", "mail", "--expires", "2h", "--rate", "5")

    async def use(bench: Bench) -> None:
        await bench.store.use_api_keys({shop_ids[0]: bench.now})

    shop_ids = [key.id for key in shop.one(keys)]
    shop.one(use)
    shop.clock.advance(60)
    rows = shop.call("api-keys", "ls").rows
    assert rows[0] == ["a", shop_ids[0], "admin", "all", "never", "1m", "ago"]
    assert rows[1] == ["b", shop_ids[1], "read", "mail", "5/s,", "5", "in", "a", "burst", "in", "1h", "59m", "never"]
    shop.clock.advance(7200)
    assert "has ended" in shop.call("api-keys", "ls").out


def test_ls_without_any(shop: Shop) -> None:
    shop.do()
    assert shop.call("api-keys", "ls").out == "No API keys.\n"


def test_a_key_is_rotated(shop: Shop) -> None:
    first = shop.call("api-keys", "add", "web", "--scope", "read").out
    shop.clock.advance(1)
    second = shop.call("api-keys", "rotate", "web").out
    assert TEXT.fullmatch(second)
    assert second != first
    [old, new] = shop.one(keys)
    assert old.expires_at == shop.clock.now() + 3600 * 1_000_000
    assert (new.rights, new.expires_at) == (old.rights, None)
    third = shop.call("api-keys", "rotate", "web")
    assert (third.code, "FM608" in third.err, old.id in third.err) == (1, True, True)


def test_keys_are_revoked_and_stay_listed(shop: Shop) -> None:
    shop.call("api-keys", "add", "web", "--scope", "read")
    shop.clock.advance(1)
    shop.call("api-keys", "rotate", "web")
    old, _ = shop.one(keys)
    assert shop.call("api-keys", "revoke", "web", "--id", old.id).out == "1 API key of web revoked.\n"
    assert [key.lives(shop.clock.now()) for key in shop.one(keys)] == [False, True]
    assert shop.call("api-keys", "revoke", "web").out == "1 API key of web revoked.\n"
    assert len(shop.one(keys)) == 2
    again = shop.call("api-keys", "revoke", "web")
    assert (again.code, "FM607" in again.err) == (1, True)


def test_keys_are_forgotten(shop: Shop) -> None:
    shop.call("api-keys", "add", "web", "--scope", "read")
    shop.call("api-keys", "revoke", "web")
    assert shop.call("api-keys", "revoke", "web", "--forget").out == "0 API keys of web revoked.\n"
    assert shop.one(keys) == []


@pytest.mark.parametrize("verb", ["rotate", "revoke"])
def test_a_key_that_is_not_there(shop: Shop, verb: str) -> None:
    shop.do()
    told = shop.call("api-keys", verb, "web")
    assert (told.code, "FM607" in told.err) == (1, True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("add", "web"), "--scope"),
        (("add", "web", "--scope", "reed"), "read"),
        (("add", "web", "--scope", "read", "--expires", "soon"), "duration"),
        (("add", "web", "--scope", "read", "--rate", "fast"), "rate"),
    ],
)
def test_what_cannot_be_read_is_wrong_usage(shop: Shop, wrong: tuple[str, ...], said: str) -> None:
    told = shop.call("api-keys", *wrong)
    assert (told.code, said in told.err) == (2, True)


@pytest.mark.parametrize(
    "wrong",
    [
        ("a b", "--scope", "read"),
        ("web", "--scope", "read", "--queue", "a:b"),
        ("web", "--scope", "read", "--burst", "3"),
        ("web", "--scope", "read", "--expires", "0"),
    ],
)
def test_what_is_not_allowed_is_refused(shop: Shop, wrong: tuple[str, ...]) -> None:
    told = shop.call("api-keys", "add", *wrong)
    assert (told.code, "FM311" in told.err) == (1, True)


def test_a_name_that_is_taken(shop: Shop) -> None:
    shop.call("api-keys", "add", "web", "--scope", "read")
    told = shop.call("api-keys", "add", "web", "--scope", "read")
    assert (told.code, "FM608" in told.err, "rotate" in told.err) == (1, True, True)
