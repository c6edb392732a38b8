"""Which situations a history reached."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from ferryman.domain.errors import QueueFull, UniqueKeyTaken
from ferryman.domain.job import JobError
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit
from ferryman.domain.state import Status
from ferryman.testing.history import ON_A_SERVER, SOMETIMES, WITH_TRANSACTIONS, sometimes
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer

ONE = GateRule(concurrency=1)
RATE = GateRule(rate=1.0)


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


def _found(how: str) -> Callable[[Writer], object]:
    return lambda writer: writer.note(e.Found, "p1", node=1, batch=1, jobs=["a"], how=how)


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


def _with_a_follow_up(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.follow("b", unique_key="k")


def _follow_up_fenced(writer: Writer) -> None:
    _with_a_follow_up(writer)
    writer.note(e.Killed, process="p1")
    writer.rescue("a")
    writer.write(fenced=True, number=1)


def _follow_up_replayed(writer: Writer) -> None:
    _with_a_follow_up(writer)
    writer.write()
    writer.brought("b")
    writer.repeat()


def _follow_up_gives_way(writer: Writer) -> None:
    writer.enqueue("holder", unique_key="k")
    _with_a_follow_up(writer)
    writer.write()


def _commits(writer: Writer) -> None:
    writer.claim("a")
    writer.start()
    writer.commit()


def _commit_unheard(writer: Writer) -> None:
    _commits(writer)
    writer.repeat("a", "failed", "scheduled", fenced=True)


def _commits_and_writes_again(writer: Writer) -> None:
    _commits(writer)
    writer.repeat()


def _transaction_timed_out(writer: Writer) -> None:
    writer.row("a", "failed", "failed", error=JobError("FM501", "TransactionTimedOut", "late"))


def _held_back(limit: Limit, *, rate: bool, waits: bool = True) -> Callable[[Writer], object]:
    def held(writer: Writer) -> None:
        writer.rule(limit)
        writer.enqueue("b", queue="default" if waits else "another")
        writer.note(e.HeldBack, "p1", node=1, batch=writer.claim("a"), rate=rate)
        writer.claim("b")

    return held


def _waited(writer: Writer) -> None:
    writer.rule(True)
    writer.claim()
    writer.rule(False)
    writer.claim("a")


def _nobody_asked_while_it_was_paused(writer: Writer) -> None:
    writer.rule(True)
    writer.rule(False)
    writer.claim("a")


def _holder_lost(limit: Limit, *, frozen: bool = True) -> Callable[[Writer], object]:
    def lost(writer: Writer) -> None:
        writer.rule(limit)
        writer.claim("a")
        if frozen:
            writer.note(e.Paused, process="p1")
        writer.rescue("a")

    return lost


def _keyed(writer: Writer, *jobs: str, gate: GateRule | None = ONE) -> None:
    for job in jobs:
        writer.enqueue(job, key="k", gate=gate)


def _waited_for_a_slot(writer: Writer, gate: GateRule | None = ONE) -> None:
    _keyed(writer, "b", "c", gate=gate)
    writer.run("b")
    writer.run("c")


def _came_when_the_slot_was_free(writer: Writer) -> None:
    _keyed(writer, "b")
    writer.run("b")
    _keyed(writer, "c")
    writer.run("c")


def _waited_for_a_token(writer: Writer, rule: GateRule = RATE) -> None:
    _keyed(writer, "b", "c", gate=rule)
    writer.run("b")
    writer.run("c")


def _waited_for_a_paused_key(writer: Writer, *, waits: bool = True) -> None:
    writer.gate("pause")
    if waits:
        _keyed(writer, "b")
    writer.gate("resume")
    if not waits:
        _keyed(writer, "b")
    writer.run("b")


def _scheduled_with_a_key(writer: Writer) -> None:
    writer.enqueue("b", key="k", gate=ONE, scheduled=True)
    writer.gate("pause")
    writer.gate("resume")
    writer.run("b")
    _keyed(writer, "never claimed")


def _retried_in_its_turn(writer: Writer, *, after: bool = True) -> None:
    _keyed(writer, "b", "c")
    if not after:
        writer.run("c")
    writer.run("b", "failed", "failed")
    writer.retry("b")
    writer.run("b")
    if after:
        writer.run("c")


def _ruled_anew(writer: Writer, *, while_it_runs: bool = True) -> None:
    _keyed(writer, "b")
    writer.claim("b")
    if while_it_runs:
        writer.gate("set", RATE)
    writer.write("b")
    writer.gate("unset")
    if not while_it_runs:
        writer.gate("set", RATE)


def _left_waiting(writer: Writer) -> None:
    _keyed(writer, "b")
    writer.alter("b", status=Status.WAITING)


def _holder_of_a_key_lost(writer: Writer, gate: GateRule = ONE, *, frozen: bool = True, rescued: bool = True) -> None:
    _keyed(writer, "b", gate=gate)
    writer.claim("b")
    if frozen:
        writer.note(e.Paused, process="p1")
    if rescued:
        writer.rescue("b")
    else:
        writer.row("b", "lost", "pending")


def _turns_taken(writer: Writer, order: str = "bcde") -> None:
    writer.asks = 1
    for job in "bcde":
        writer.enqueue(job, key="k" if job in "bd" else "l", gate=GateRule(share=1))
    for job in order:
        writer.run(job)


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
    ("follow-up of a fenced run", _follow_up_fenced),
    ("follow-up of a replayed finish", _follow_up_replayed),
    ("follow-up gives way", _follow_up_gives_way),
    ("transaction committed", _commits),
    ("lost reply of a commit", _commit_unheard),
    ("died in a transaction", lambda writer: writer.note(e.Killed, process="p1", during=e.IN_A_TRANSACTION)),
    ("transaction timed out", _transaction_timed_out),
    ("claimed past a gap", lambda writer: writer.note(e.Passed, "p1", node=1, batch=1, running=2)),
    ("gap found late", _found("gap")),
    ("rescan found", _found("rescan")),
    ("restart of the server", lambda writer: writer.note(e.Restarted, seconds=1.0)),
    ("read-only", lambda writer: writer.note(e.ReadOnly, seconds=1.0)),
    ("held back by a limit", _held_back(Limit(1), rate=False)),
    ("held back by a rate", _held_back(Limit(None, 1.0), rate=True)),
    ("waited for a pause", _waited),
    ("holder taken for dead", _holder_lost(Limit(1))),
    ("waited for a slot", _waited_for_a_slot),
    ("waited for a token", _waited_for_a_token),
    ("waited for a paused key", _waited_for_a_paused_key),
    ("sequence passed", lambda writer: writer.gate("pass", passed=("a",))),
    ("retried in its turn", _retried_in_its_turn),
    ("rule of a key changed", _ruled_anew),
    ("left before a gate", _left_waiting),
    ("holder of a key taken for dead", _holder_of_a_key_lost),
    ("turns taken", _turns_taken),
    ("clock set forward", _stepped(5.0)),
    ("clock set back", _stepped(-5.0)),
]


@pytest.mark.parametrize(("name", "reach"), REACHING, ids=[f"{name} {at}" for at, (name, _) in enumerate(REACHING)])
def test_a_situation_is_seen_where_it_was_and_nowhere_else(name: str, reach: Callable[[Writer], object]) -> None:
    writer = begin()
    assert name not in sometimes(writer.history)
    reach(writer)
    assert sometimes(writer.history)[name] == 1


@pytest.mark.parametrize(
    ("name", "miss"),
    [
        ("follow-up of a fenced run", _fenced),
        ("follow-up of a fenced run", _follow_up_replayed),
        ("follow-up of a replayed finish", _written_again),
        ("follow-up of a replayed finish", _follow_up_fenced),
        ("follow-up gives way", _follow_up_fenced),
        ("follow-up gives way", _follow_up_replayed),
        ("lost reply of a commit", _fenced),
        ("lost reply of a commit", _commits_and_writes_again),
        ("died in a transaction", _died),
        ("transaction timed out", _timed_out),
        ("held back by a limit", _held_back(Limit(1), rate=False, waits=False)),
        ("held back by a rate", _held_back(Limit(1), rate=False)),
        ("held back by a rate", _held_back(Limit(None, 1.0), rate=False)),
        ("held back by a rate", _held_back(Limit(1), rate=True)),
        ("waited for a pause", _nobody_asked_while_it_was_paused),
        ("holder taken for dead", _holder_lost(Limit(2))),
        ("holder taken for dead", _holder_lost(Limit(1), frozen=False)),
        ("holder taken for dead", _taken_for_dead),
        ("waited for a slot", _came_when_the_slot_was_free),
        ("waited for a slot", partial(_waited_for_a_slot, gate=None)),
        ("waited for a token", _waited_for_a_slot),
        ("waited for a token", partial(_waited_for_a_token, rule=GateRule(rate=1.0, burst=2))),
        ("waited for a token", _left_waiting),
        ("waited for a paused key", partial(_waited_for_a_paused_key, waits=False)),
        ("waited for a paused key", _scheduled_with_a_key),
        ("sequence passed", lambda writer: writer.gate("pass")),
        ("retried in its turn", partial(_retried_in_its_turn, after=False)),
        ("rule of a key changed", partial(_ruled_anew, while_it_runs=False)),
        ("holder of a key taken for dead", partial(_holder_of_a_key_lost, gate=GateRule(concurrency=2))),
        ("holder of a key taken for dead", partial(_holder_of_a_key_lost, frozen=False)),
        ("holder of a key taken for dead", partial(_holder_of_a_key_lost, rescued=False)),
        ("holder of a key taken for dead", _waited_for_a_slot),
        ("turns taken", partial(_turns_taken, order="bdce")),
    ],
)
def test_what_is_nearly_a_situation_is_none(name: str, miss: Callable[[Writer], object]) -> None:
    writer = begin()
    miss(writer)
    assert name not in sometimes(writer.history)


def test_every_situation_is_reached_here() -> None:
    assert {name for name, _ in REACHING} == set(SOMETIMES)


def test_what_only_some_stores_can_do_is_a_situation() -> None:
    assert SOMETIMES.keys() > WITH_TRANSACTIONS | ON_A_SERVER


def test_a_plain_life_is_no_situation() -> None:
    writer = begin()
    writer.run("a", "failed", "scheduled")
    writer.claim("a")
    writer.start()
    writer.follow("b")
    writer.end()
    writer.write()
    writer.brought("b")
    assert sometimes(writer.history) == {}
