"""Which situations a history reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ferryman.domain.errors import QueueFull, UniqueKeyTaken
from ferryman.domain.job import JobError
from ferryman.testing.history import SOMETIMES, sometimes
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer


def begin() -> Writer:
    writer = Writer()
    writer.spawn("p1")
    writer.spawn("p2")
    writer.enqueue()
    return writer


def _last_attempt(writer: Writer) -> None:
    for status in ("scheduled", "scheduled", "failed"):
        writer.run("a", "failed", status)


def _fenced(writer: Writer) -> None:
    writer.claim("a")
    writer.note(e.Killed, process="p1")
    writer.rescue("a")
    writer.write(fenced=True)


def _asked_again(writer: Writer) -> None:
    writer.ask()


def _claim_unheard(writer: Writer) -> None:
    writer.claim("a", reply=False)


def _finish_unheard(writer: Writer) -> None:
    writer.claim("a")
    writer.write(reply=False)


def _written_again(writer: Writer) -> None:
    writer.claim("a")
    writer.write(reply=False)
    writer.note(e.Writing, "p1", call=90, node=1, runs=[e.WrittenRun("a", 1, "done", "completed", 7)])
    writer.note(e.Wrote, "p1", call=90, node=1, fenced=[], cancelled=[])


def _orphan(writer: Writer) -> None:
    writer.note(e.Released, "p1", node=1, batch=1, count=1)


def _rescued_while_writing(writer: Writer) -> None:
    writer.claim("a")
    writer.note(e.Writing, "p1", call=90, node=1, runs=[e.WrittenRun("a", 1, "done", "completed", 7)])
    writer.rescue("a")
    writer.note(e.Wrote, "p1", call=90, node=1, fenced=[("a", 1)], cancelled=[])


def _claimed_before_the_cancel_came(writer: Writer) -> None:
    asked = writer.note(e.CancelAsked, "client", job="a")
    writer.claim("a")
    writer.row("a", "cancelled", "cancelled")
    writer.note(e.CancelTook, "p1", asked=asked, job="a", before="processing")


def _cancelled_before_the_claim_came(writer: Writer) -> None:
    writer.note(e.Claiming, "p1", call=90, node=1, batch=90, idle=1)
    writer.cancel()
    writer.note(e.Replied, "p1", call=90)


def _due_before_the_cancel_came(writer: Writer) -> None:
    asked = writer.note(e.CancelAsked, "client", job="a")
    writer.note(e.PromoteTook, "p1", asked=asked, count=1)
    writer.note(e.CancelTook, "p1", asked=asked, job="a", before="pending")


def _cancelled_before_it_was_due(writer: Writer) -> None:
    asked = len(writer.entries)
    writer.note(e.CancelTook, "p1", asked=asked, job="a", before="scheduled")
    writer.note(e.PromoteTook, "p1", asked=asked, count=1)


def _stopped_with(what: str, status: str) -> Callable[[Writer], None]:
    def write(writer: Writer) -> None:
        writer.claim("a")
        writer.note(e.Stopping, process="p1")
        writer.write("a", what, status)

    return write


def _suspect(writer: Writer) -> None:
    writer.claim("a", crashes=2)


def _died(writer: Writer) -> None:
    writer.claim("a")
    writer.note(e.Killed, process="p1")
    writer.rescue("a")


def _died_in_calm(writer: Writer) -> None:
    writer.note(e.Calm)
    _died(writer)


def _taken_for_dead(writer: Writer) -> None:
    writer.note(e.Paused, process="p1")
    writer.rescue()


def _claims_anew(writer: Writer) -> None:
    _taken_for_dead(writer)
    writer.register("p1", 11)
    writer.claim("a", node=11)


def _late(writer: Writer) -> None:
    writer.claim("a")
    writer.note(e.Paused, process="p1")
    writer.rescue("a")
    writer.claim("a", process="p2")
    writer.write(fenced=True, number=1)


def _rescued_after_a_completion(writer: Writer) -> None:
    writer.run()
    writer.note(e.Killed, process="p1")
    writer.rescue()


def _retried(writer: Writer) -> None:
    writer.cancel()
    writer.retry()


def _timed_out(writer: Writer) -> None:
    writer.row("a", "failed", "failed", error=JobError("FM502", "HandlerTimedOut", "late"))


def _refused(code: str) -> Callable[[Writer], object]:
    return lambda writer: writer.answer("b", "refused", code=code)


def _stepped(seconds: float) -> Callable[[Writer], object]:
    return lambda writer: writer.note(e.Stepped, seconds=seconds)


REACHING: list[tuple[str, Callable[[Writer], object]]] = [
    ("last attempt", _last_attempt),
    ("fenced write", _fenced),
    ("lost reply of an enqueue", _asked_again),
    ("lost reply of a claim", _claim_unheard),
    ("lost reply of a finish", _finish_unheard),
    ("own finish recognised", _written_again),
    ("orphan claim released", _orphan),
    ("rescue races a finish", _rescued_while_writing),
    ("cancel races a claim", _claimed_before_the_cancel_came),
    ("cancel races a claim", _cancelled_before_the_claim_came),
    ("cancel races a promote", _due_before_the_cancel_came),
    ("cancel races a promote", _cancelled_before_it_was_due),
    ("release at the deadline", _stopped_with("released", "pending")),
    ("interrupted at the deadline", _stopped_with("interrupted", "pending")),
    ("suspect claimed alone", _suspect),
    ("died with claims", _died),
    ("killed in calm weather", _died_in_calm),
    ("taken for dead alive", _taken_for_dead),
    ("rescued node claims again", _claims_anew),
    ("late finish", _late),
    ("rescue after a completion", _rescued_after_a_completion),
    ("retried by hand", _retried),
    ("snoozed", lambda writer: writer.run("a", "snoozed", "scheduled")),
    ("timed out", _timed_out),
    ("request replayed", lambda writer: writer.answer("a", "replayed")),
    ("unique key refused", _refused(UniqueKeyTaken.code)),
    ("queue full", _refused(QueueFull.code)),
    ("clock set forward", _stepped(5.0)),
    ("clock set back", _stepped(-5.0)),
]


@pytest.mark.parametrize(("name", "reach"), REACHING, ids=[f"{name} {at}" for at, (name, _) in enumerate(REACHING)])
def test_a_situation_is_seen_where_it_was_and_nowhere_else(name: str, reach: Callable[[Writer], object]) -> None:
    writer = begin()
    assert name not in sometimes(writer.history)
    reach(writer)
    assert sometimes(writer.history)[name] == 1


def test_every_situation_is_reached_here() -> None:
    assert {name for name, _ in REACHING} == set(SOMETIMES)


def test_a_plain_life_is_no_situation() -> None:
    writer = begin()
    writer.run("a", "failed", "scheduled")
    writer.run()
    assert sometimes(writer.history) == {}
