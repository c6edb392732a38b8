"""Where a server says that something has committed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.postgres.answers import Answers

Feed = Callable[[bytes], list[tuple[bytes, bool]]]

AUTHENTICATED = b"R\0\0\0\x08\0\0\0\0"
PARAMETER = b"S\0\0\0\x08a\0b\0"
PARSED = b"1\0\0\0\x04"
ROW = b"D\0\0\0\x06\0\0"
COMPLETE = b"C\0\0\0\x0dINSERT 1\0"
IDLE, OPEN = b"Z\0\0\0\x05I", b"Z\0\0\0\x05T"
START = AUTHENTICATED + PARAMETER + IDLE


def all_at_once(said: bytes) -> list[tuple[bytes, bool]]:
    return Answers().feed(said)


def byte_by_byte(said: bytes) -> list[tuple[bytes, bool]]:
    answers = Answers()
    return [part for at in range(len(said)) for part in answers.feed(said[at : at + 1])]


def joined(parts: list[tuple[bytes, bool]]) -> list[tuple[bytes, bool]]:
    """Where one part ends and the next begins does not matter between those that are not marked."""
    found: list[tuple[bytes, bool]] = []
    for part, commits in parts:
        if found and not commits and not found[-1][1]:
            found[-1] = (found[-1][0] + part, False)
        else:
            found.append((part, commits))
    return found


@pytest.mark.parametrize("feed", [all_at_once, byte_by_byte])
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(START, [(START, False)], id="a session that begins"),
        pytest.param(b"NN" + START, [(b"NN" + START, False)], id="one that may not be encrypted"),
        pytest.param(START + PARSED + IDLE, [(START + PARSED + IDLE, False)], id="a statement is prepared"),
        pytest.param(
            START + ROW + COMPLETE + IDLE, [(START + ROW, False), (COMPLETE + IDLE, True)], id="a statement commits"
        ),
        pytest.param(START + COMPLETE + OPEN, [(START + COMPLETE + OPEN, False)], id="a transaction goes on"),
        pytest.param(
            START + COMPLETE + COMPLETE + PARAMETER + IDLE + ROW,
            [(START, False), (COMPLETE + COMPLETE + PARAMETER + IDLE, True), (ROW, False)],
            id="several statements commit together",
        ),
        pytest.param(START + ROW + COMPLETE, [(START + ROW, False)], id="it is not known yet"),
    ],
)
def test_only_what_ends_in_no_transaction_has_committed(feed: Feed, said: bytes, expected: object) -> None:
    assert joined(feed(said)) == expected


def test_nothing_is_known_of_an_encrypted_connection() -> None:
    answers = Answers()
    assert answers.feed(b"NS") == [(b"NS", False)]
    assert answers.feed(b"\x16\x03") == [(b"\x16\x03", True)]
