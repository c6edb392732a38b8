"""What forked children give back; that a real child does is tested with the locks and the port."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

import pytest

from ferryman.store.forks import Forks, before_forks, in_children


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


class Part:
    """Something that forks wait for; it notes who called it."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name = name
        self.notes = notes

    def before(self) -> None:
        self.notes.append(f"before {self.name}")

    def after(self) -> None:
        self.notes.append(f"after {self.name}")


class Hooks:
    """Plays the process: what it is given is called by hand."""

    def around(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        self.before, self.after = before, after


def test_the_parts_of_an_app_hear_of_a_fork_in_turn_and_none_is_kept_alive_for_that() -> None:
    hooks, notes = Hooks(), list[str]()
    forks = Forks(hooks.around)
    first, second = Part("first", notes), Part("second", notes)
    forks.around(first.before, first.after)
    forks.around(second.before, second.after)
    hooks.before()
    hooks.after()
    assert notes == ["before second", "before first", "after first", "after second"]
    there = weakref.ref(second)
    del second
    assert there() is None
    hooks.before()
    hooks.after()
    assert notes[4:] == ["before first", "after first"]


def test_a_part_that_comes_while_a_fork_is_under_way_waits_until_it_is_over() -> None:
    """Else it would open its connection while the process forks, and this fork would not know of it."""
    hooks, notes = Hooks(), list[str]()
    forks, coming = Forks(hooks.around), threading.Event()
    late = Part("late", notes)

    def come() -> None:
        coming.set()
        forks.around(late.before, late.after)
        notes.append("late is there")

    hooks.before()
    thread = threading.Thread(target=come)
    thread.start()
    assert coming.wait(60)
    thread.join(0.1)
    assert notes == []
    hooks.after()
    thread.join(60)
    assert notes == ["late is there"]


def test_a_fork_waits_for_a_block_in_another_thread_in_which_there_is_to_be_none() -> None:
    hooks, notes, begun = Hooks(), list[str](), threading.Event()
    forks = Forks(hooks.around)

    def fork() -> None:
        begun.set()
        hooks.before()
        notes.append("forked")
        hooks.after()

    with forks.none():
        thread = threading.Thread(target=fork)
        thread.start()
        assert begun.wait(60)
        thread.join(0.1)
        notes.append("done")
    thread.join(60)
    assert notes == ["done", "forked"]


def test_a_fork_that_began_before_there_was_anything_to_wait_for_ends_quietly() -> None:
    hooks, notes = Hooks(), list[str]()
    forks, part = Forks(hooks.around), Part("part", notes)
    forks.around(part.before, part.after)
    hooks.after()  # Python asks for those to be called afterwards when the fork is over
    assert notes == []
    hooks.before()
    hooks.after()
    assert notes == ["before part", "after part"]
