"""What forked children give back; that a real child does is tested with the locks and the port."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

import pytest

from ferryman.store.forks import before_forks, in_children


class Holder:
    """Something with a file that children must not keep."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_child_gives_back_what_its_parent_holds_and_nothing_is_kept_alive_for_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hooks: list[Callable[[], None]] = []
    monkeypatch.setattr(os, "register_at_fork", lambda *, after_in_child: hooks.append(after_in_child))
    holder = Holder()
    in_children(holder.close)
    (hook,) = hooks
    hook()
    assert holder.closed == 1
    there = weakref.ref(holder)
    del holder
    assert there() is None
    hook()  # nobody is there any more


def test_what_comes_before_a_fork_is_called_then_and_keeps_nothing_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Callable[[], None]] = []
    monkeypatch.setattr(os, "register_at_fork", lambda *, before: hooks.append(before))
    holder = Holder()
    before_forks(holder.close)
    (hook,) = hooks
    hook()
    assert holder.closed == 1
    there = weakref.ref(holder)
    del holder
    assert there() is None
    hook()  # nobody is there any more
