"""Rights, and the texts of API keys."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from ferryman.domain import access
from ferryman.domain.access import (
    EVERYBODY,
    NOBODY,
    ApiKey,
    Caller,
    Right,
    digest_of,
    is_api_key_id,
    mint,
    read_text,
    text_of,
    with_implied,
)
from ferryman.domain.errors import BadOption
from ferryman.domain.limits import Limit


def entropy(size: int) -> bytes:
    """Not random at all."""
    return bytes(range(size))


def api_key(**more: Any) -> ApiKey:
    given = {"digest": digest_of(mint(entropy).secret.reveal()), "rights": (Right.READ,), "created_at": 0}
    return ApiKey(id="1", name="web", **{**given, **more})


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], set()),
        ([Right.ENQUEUE], {Right.ENQUEUE}),
        ([Right.WORK], {Right.WORK}),
        ([Right.OPERATE], {Right.OPERATE, Right.READ}),
        ([Right.ENQUEUE, Right.OPERATE], {Right.ENQUEUE, Right.OPERATE, Right.READ}),
        ([Right.ADMIN], set(Right)),
    ],
)
def test_what_rights_bring_along(given: list[Right], found: set[Right]) -> None:
    assert with_implied(given) == found


def test_a_caller_has_what_the_key_has() -> None:
    caller = api_key(rights=(Right.OPERATE,), queues=("mail",)).caller()
    assert caller == Caller("web", frozenset({Right.OPERATE, Right.READ}), frozenset({"mail"}))
    assert caller.may(Right.READ)
    assert not caller.may(Right.ENQUEUE)
    assert caller.knows("mail")
    assert not caller.knows("letters")
    assert api_key().caller().knows("letters")


def test_everybody_may_everything_and_nobody_nothing() -> None:
    assert all(EVERYBODY.may(right) for right in Right)
    assert EVERYBODY.knows("mail")
    assert not any(NOBODY.may(right) for right in Right)
    assert not NOBODY.knows("mail")


def test_the_text_of_a_key_has_its_id_and_256_bits() -> None:
    asked: list[int] = []

    def noting(size: int) -> bytes:
        asked.append(size)
        return entropy(size)

    minted = mint(noting)
    assert sorted(asked) == [8, 32]
    assert minted.id == "0001020304050607"
    text = text_of(minted).reveal()
    assert text == "ferryman_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert read_text(text) == minted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ferryman_",
        "ferryman_0001020304050607_short",
        "ferryman_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
        "ferryman_000102030405060G_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "ferryman_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "Ferryman_0001020304050607_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    ],
)
def test_what_is_no_key_is_not_read(text: str) -> None:
    assert read_text(text) is None


def test_a_key_is_opened_by_its_secret_alone() -> None:
    shown = mint(entropy)
    assert shown.opens(api_key())
    assert not shown.opens(api_key(digest=digest_of("another")))
    assert not shown.opens(None)
    empty = read_text("ferryman_0001020304050607_" + "A" * 43)
    assert empty is not None
    assert not empty.opens(None)


def test_every_look_compares_whole_digests_once() -> None:
    """Whether there is such a key, and where a secret differs from it, takes as long to find out."""
    compared: list[tuple[int, int]] = []

    def noting(one: str, other: str) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    for key in (api_key(), api_key(digest=digest_of("another")), None):
        mint(entropy).opens(key, noting)
    assert compared == [(64, 64)] * 3


def test_no_secret_is_seen_in_what_is_printed() -> None:
    minted = mint(entropy)
    issued = access.Issued(api_key(), text_of(minted))
    assert minted.secret.reveal() not in f"{minted} {issued!r} {text_of(minted)}"


def test_a_key_lives_until_it_expires() -> None:
    assert api_key().lives(1 << 60)
    assert api_key(expires_at=5).lives(4)
    assert not api_key(expires_at=5).lives(5)


def test_the_limit_of_a_key() -> None:
    assert api_key(rate=2.5, burst=4).limit == Limit(None, 2.5, 4)
    assert not api_key().limit.is_bound


def test_what_an_id_is() -> None:
    assert is_api_key_id("0001020304050607")
    assert not is_api_key_id("0001020304050607\n")
    assert not is_api_key_id("000102030405060")


# -- what people ask for -------------------------------------------------------------------------


def test_rights_are_kept_in_one_order() -> None:
    assert access.rights(["operate", "enqueue", "operate"]) == (Right.ENQUEUE, Right.OPERATE)
    assert access.name("web-1") == "web-1"
    assert access.queues(["mail", "letters", "mail"]) == ("letters", "mail")


@pytest.mark.parametrize("wrong", [[], ["reed"], [None], [["read"]]])
def test_what_is_no_right_is_refused(wrong: list[Any]) -> None:
    with pytest.raises(BadOption):
        access.rights(wrong)


@pytest.mark.parametrize("wrong", [[], ["a:b"], [f"q{n}" for n in range(101)]])
def test_what_are_no_queues_is_refused(wrong: list[Any]) -> None:
    with pytest.raises(BadOption):
        access.queues(wrong)


@pytest.mark.parametrize(
    ("value", "rate", "found"), [(None, None, 1), (None, 0.1, 1), (None, 2.5, 3), (7, 2.5, 7), (1, 100, 1)]
)
def test_a_burst_is_a_seconds_worth_unless_it_is_said(value: int | None, rate: float | None, found: int) -> None:
    assert access.burst(value, rate) == found


@pytest.mark.parametrize(("value", "rate"), [(3, None), (0, 5.0)])
def test_what_is_no_burst_is_refused(value: int, rate: float | None) -> None:
    with pytest.raises(BadOption):
        access.burst(value, rate)
