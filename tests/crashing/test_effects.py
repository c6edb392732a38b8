"""When an effect counts as doubled, as lost, or as something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ferryman.crashing.effects import Difference, Harm, compare, read, value_of
from ferryman.domain.errors import BadOption

DOUBLED, LOST, CHANGED = Harm.DOUBLED, Harm.LOST, Harm.CHANGED


@pytest.mark.parametrize(
    ("before", "expected", "got", "harm"),
    [
        (0, 1, 1, None),
        (0, 1, 2, DOUBLED),
        (0, 2, 1, LOST),
        (0, 1, 0, LOST),
        (100, 70, 40, DOUBLED),
        (100, 70, 100, LOST),
        (100, 70, 130, CHANGED),
        (5, 5, 6, CHANGED),
    ],
)
def test_a_number_is_judged_by_how_far_it_moves(before: int, expected: int, got: int, harm: Harm | None) -> None:
    difference = compare(before, expected, got)
    assert difference == (None if harm is None else Difference(harm, f"{got} instead of {expected}"))


@pytest.mark.parametrize(
    ("expected", "got", "harm", "detail"),
    [
        ("ab", "ba", None, ""),
        ("ab", "aab", DOUBLED, "'a': 2 instead of 1"),
        ("ab", "b", LOST, "'a': 0 instead of 1"),
        ("aab", "ab", LOST, "'a': 1 instead of 2"),
        ("ab", "ac", CHANGED, "'c': 1 instead of 0, and 1 more"),
        ("ab", "abc", CHANGED, "'c': 1 instead of 0"),
        ("", "a", CHANGED, "'a': 1 instead of 0"),
    ],
)
def test_lines_are_judged_one_by_one_in_any_order(expected: str, got: str, harm: Harm | None, detail: str) -> None:
    difference = compare((), value_of("x", list(expected)), value_of("x", list(got)))
    assert difference == (None if harm is None else Difference(harm, detail))


def test_an_effect_that_is_a_number_once_and_lines_then_has_changed() -> None:
    assert compare(0, 1, (1, 1)) == Difference(DOUBLED, "1: 2 instead of 1")
    assert compare((), (1,), 2) == Difference(CHANGED, "2: 1 instead of 0, and 1 more")


def test_lines_of_different_kinds_are_kept_in_one_order() -> None:
    assert value_of("x", {None, 1, "a", (2, "b")}) == value_of("x", [(2, "b"), "a", 1, None])
    assert value_of("x", iter([2, 1])) == (1, 2)
    assert value_of("x", True) == 1


@pytest.mark.parametrize("value", ["text", b"bytes", {"a": 1}, None, 1.5, [[1]], [{"a": 1}]])
def test_what_cannot_be_counted_is_refused(value: Any) -> None:
    with pytest.raises(BadOption, match=r"what the effect 'x' returns cannot be .*an iterable of hashable"):
        value_of("x", value)


def test_effects_are_asked_with_the_path_of_the_database() -> None:
    asked = {"count": lambda path: len(path.name), "lines": lambda path: path.parts}
    assert read(asked, Path("a/jobs.db"), "now") == {"count": 7, "lines": ("a", "jobs.db")}
