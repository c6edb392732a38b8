"""Events of pieces, however they are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.errors import RemoteError
from ferryman.http.remote.streaming import COME_AGAIN, COME_AGAIN_MOST, Event, Events

TOLD = (
    b"retry: 1500\n\n:\n\nid: 1-pending\nevent: job\ndata: {}\n\n"
    b"data: a\r\ndata:b\r\n\r\nid: 2\n\nunknown: x\nevent\ndata: c\n\nevent: end\ndata: {}\n\n"
)
HEARD = [
    Event("job", b"{}", "1-pending"),
    Event("", b"a\nb", "1-pending"),
    Event("", b"c", "2"),
    Event("end", b"{}", "2"),
]


@given(st.lists(st.integers(0, len(TOLD))))
def test_pieces_may_be_cut_anywhere(cuts: list[int]) -> None:
    events, found = Events(), list[Event]()
    ends = [0, *sorted(cuts), len(TOLD)]
    for begin, end in pairwise(ends):
        found += events.feed(TOLD[begin:end])
    assert found == HEARD
    assert events.come_again == 1.5


def test_an_event_that_was_not_ended_is_none() -> None:
    assert Events().feed(b"data: half") == []
    assert Events("7").feed(b"data: x\n\n") == [Event("", b"x", "7")]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(b"soon", COME_AGAIN), (b"", COME_AGAIN), (b"0", 0), (b"9" * 50, COME_AGAIN_MOST)],
)
def test_when_to_come_again(said: bytes, seconds: float) -> None:
    events = Events()
    events.feed(b"retry: %b\n" % said)
    assert events.come_again == seconds


def test_a_line_without_end_is_not_held() -> None:
    events = Events(most=10)
    assert events.feed(b"data: 1234") == []
    with pytest.raises(RemoteError, match="more than 10 bytes"):
        events.feed(b"5")
