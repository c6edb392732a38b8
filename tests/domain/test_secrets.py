"""Secrets: what they show, and payloads as others may see them."""

from __future__ import annotations

import copy
import pickle

import pytest

from ferryman.domain.secrets import Secret, mask

TOKEN = Secret("hunter2")


@pytest.mark.parametrize("shown", [repr(TOKEN), str(TOKEN), f"{TOKEN}", f"{TOKEN!r}", "%s" % TOKEN, str([TOKEN])])  # noqa: UP031
def test_a_secret_shows_stars(shown: str) -> None:
    assert shown.strip("[]") == "Secret(***)"


def test_a_secret_is_formatted_as_a_text() -> None:
    assert f"{TOKEN:>13}" == "  Secret(***)"


def test_a_secret_is_revealed_on_demand_and_only_then() -> None:
    assert TOKEN.reveal() == "hunter2"
    assert not hasattr(TOKEN, "__dict__"), "nothing that prints an object's variables finds it"


def test_secrets_are_values() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), "a"}) == 2
    assert copy.deepcopy(TOKEN) == pickle.loads(pickle.dumps(TOKEN)) == TOKEN


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ('{"to":"a","token":"hunter2","n":1.50}', '{"to":"a","token":"***","n":1.50}'),
        ('{"token":{"a":["hunter2"]}}', '{"token":"***"}'),
        ('{"token":null}', '{"token":"***"}'),
        ('{ "to":"token" }', '{ "to":"token" }'),
        ("{}", "{}"),
        ("[1]", '"***"'),
        ("hunter2", '"***"'),
        ("\ud800", '"***"'),
    ],
)
def test_a_payload_is_shown_without_its_secrets(payload: str, shown: str) -> None:
    assert mask(payload, frozenset({"token"})) == shown
