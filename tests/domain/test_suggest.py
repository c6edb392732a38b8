"""The nearest name."""

from __future__ import annotations

import pytest

from ferryman.domain.suggest import did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "told"),
    [
        ("sned", ["send", "receive"], "Did you mean send?"),
        ("SEND", ["send"], "Did you mean send?"),
        ("wroker", ["WORKER", "walk"], "Did you mean WORKER?"),
        ("xyz", ["send", "receive"], ""),
        ("send", [], ""),
    ],
)
def test_a_near_name_is_suggested_and_a_far_one_is_not(word: str, known: list[str], told: str) -> None:
    assert did_you_mean(word, known) == told
