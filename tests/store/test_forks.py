"""What forked children give back; that a real child does is tested with the locks and the port."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from ferryman.store.forks import in_children


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
    del holder
    hook()  # nobody is there any more
