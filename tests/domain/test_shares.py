"""Whose turn it is: fairness between any two keys, whatever their shares and tags."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.shares import STEP, Tag, drawn

SHARES = st.sampled_from([1, 2, 3, 4, 5, 6, 7, 10, 100])
RINGS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.builds(Tag, st.integers(0, 3 * STEP), SHARES), min_size=1
)


def test_keys_of_one_share_take_turns() -> None:
    tags = {"a": Tag(0, 1), "b": Tag(0, 1), "c": Tag(0, 2)}
    assert "".join(drawn(tags, 9)) == "abccabcca"


def test_where_nobody_is_nobody_is_drawn() -> None:
    assert drawn({}, 5) == []


def test_whoever_is_ahead_waits_until_the_others_have_caught_up() -> None:
    assert "".join(drawn({"a": Tag(2 * STEP, 1), "b": Tag(0, 1)}, 5)) == "bbaba"


@given(RINGS, st.integers(0, 60), st.integers(0, 60))
def test_turns_go_on_where_they_were_left(tags: dict[str, Tag], first: int, second: int) -> None:
    some = drawn(tags, first)
    went = Counter(some)
    left = {key: tag._replace(at=tag.after(went[key])) for key, tag in tags.items()}
    assert some + drawn(left, second) == drawn(tags, first + second)


@given(RINGS)
def test_between_two_turns_of_a_key_another_has_no_more_than_its_share(tags: dict[str, Tag]) -> None:
    order = drawn(tags, 300)
    for key in tags:
        turns = [place for place, drawn_key in enumerate(order) if drawn_key == key]
        for before, after in pairwise(turns):
            between = Counter(order[before + 1 : after])
            assert all(n <= ceil(Fraction(tags[other].share, tags[key].share)) for other, n in between.items()), (
                key,
                between,
            )
