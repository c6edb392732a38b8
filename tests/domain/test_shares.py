"""Whose turn it is: fairness between any two keys, whatever their shares and tags."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.gates import Crowd, Gate, Look
from ferryman.domain.keys import GateRule
from ferryman.domain.shares import STEP, Round, Tag, drawn

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


# -- one round of a ring ---------------------------------------------------------------------------


def look(share: int | None, slots: int = 0, width: int | None = None) -> Look:
    """A look at the gate of a key."""
    return Look(Gate(GateRule(concurrency=width, share=share)), Crowd(slots))


def test_a_round_lets_no_more_go_than_have_turns_and_room() -> None:
    looks = {"a": look(1), "b": look(1, slots=1, width=2), "c": look(None)}
    turns = Round({"a": 0, "b": 0, "c": 0}, looks, 4)
    assert turns.order == ["a", "b", "a", "b"]
    assert turns.rooms == {"a": 2, "b": 1}


def test_a_key_pays_for_the_turns_that_it_took_and_stays_while_more_stand_there() -> None:
    turns = Round({"a": 5, "b": 7, "c": 9}, {key: look(1) for key in "abc"}, 3)
    assert turns.order == ["a", "b", "c"]
    went = {"a": 1, "b": 1}
    assert turns.after(went, there={"a": 2, "b": 1}) == {
        "a": (5 + STEP, True),
        "b": (7 + STEP, False),  # that was its last one
        "c": (9, False),  # it had none
    }
    assert turns.time(went) == 7, "the tag of whoever went last"


def test_a_key_without_room_or_share_leaves_the_ring_and_its_tag_stays() -> None:
    turns = Round({"a": 5, "b": 7}, {"a": look(1, slots=1, width=1), "b": look(None)}, 2)
    assert turns.after({}, there={"a": 1}) == {"a": (5, False), "b": (7, False)}


def test_who_had_no_turn_in_a_round_is_no_news() -> None:
    turns = Round({"a": 0, "b": 9 * STEP}, {"a": look(1), "b": look(1)}, 1)
    assert turns.after({"a": 1}, there={"a": 2, "b": 1}) == {"a": (STEP, True)}
