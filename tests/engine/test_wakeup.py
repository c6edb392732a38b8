"""Wakeups: whom they reach."""

from __future__ import annotations

from ferryman.engine.wakeup import LocalWakeup, Wakeups
from ferryman.store.bell import Ring


class Heard:
    def __init__(self) -> None:
        self.words: list[object] = []

    def connect(self, wakeup: LocalWakeup, node: str) -> None:
        wakeup.connect(node, lambda: self.words.append("work"), self.words.append, lambda: self.words.append("cancel"))


def test_each_word_reaches_the_part_that_it_is_for() -> None:
    wakeup, heard = LocalWakeup(), Heard()
    heard.connect(wakeup, "me")
    wakeup.work()
    wakeup.scheduled(5)
    wakeup.cancelled("me")
    wakeup.cancelled(None)
    wakeup.cancelled("somebody else")
    assert heard.words == ["work", 5, "cancel", "cancel"]


def test_a_ring_of_another_process_reaches_the_part_that_it_is_for() -> None:
    wakeup, heard = LocalWakeup(), Heard()
    heard.connect(wakeup, "me")
    for ring in Ring:
        wakeup.rung(ring)
    assert heard.words == ["work", 0, "cancel"], "0: when the next job is due, only the store knows"


def test_nobody_is_told_before_and_after() -> None:
    wakeup, first, second = LocalWakeup(), Heard(), Heard()
    for _ in range(2):
        wakeup.work()
        wakeup.scheduled(5)
        wakeup.cancelled(None)
        first.connect(wakeup, "a")
        second.connect(wakeup, "b")
        wakeup.disconnect()
    assert first.words == second.words == []


def test_several_wakeups_are_one() -> None:
    heard = [Heard(), Heard()]
    locals_ = [LocalWakeup(), LocalWakeup()]
    for each, wakeup in zip(heard, locals_, strict=True):
        each.connect(wakeup, "me")
    both = Wakeups(*locals_)
    both.work()
    both.scheduled(7)
    both.cancelled("me")
    assert [each.words for each in heard] == [["work", 7, "cancel"]] * 2
