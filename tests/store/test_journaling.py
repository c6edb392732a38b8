"""Positions in the journal, as they travel."""

from __future__ import annotations

import pytest

from ferryman.store.journaling import Position, position_of


def test_a_position_is_read_from_its_tag() -> None:
    place = Position(1_795_409_527_492_278, 12, 345, 6)
    assert place.tag == "1795409527492278-12-345-6"
    assert position_of(place.tag) == place


@pytest.mark.parametrize(
    "text", ["", "1-2-3", "1-2-3-4-5", "1-2-3-x", "-1-2-3-4", "1-2-3-4\n", "1-2-3-\u0664", "1-2-3-" + "4" * 10]
)
def test_what_is_no_tag_is_no_position(text: str) -> None:
    assert position_of(text) is None
