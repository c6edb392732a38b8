"""How the situations of jobs that are held back come about: by limits, by pauses, before the gates of keys."""

from __future__ import annotations

from functools import partial

from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit
from ferryman.domain.state import Status
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer
from tests.testing.run_situations import Play, taken_for_dead

ONE = GateRule(concurrency=1)
RATE = GateRule(rate=1.0)


def held_back(limit: Limit, *, rate: bool, waits: bool = True) -> Play:
    def held(writer: Writer) -> None:
        writer.rule(limit)
        writer.enqueue("b", queue="default" if waits else "another")
        writer.note(e.HeldBack, "p1", node=1, batch=writer.claim("a"), rate=rate)
        writer.claim("b")

    return held


def waited(writer: Writer) -> None:
    writer.rule(True)
    writer.claim()
    writer.rule(False)
    writer.claim("a")


def nobody_asked_while_it_was_paused(writer: Writer) -> None:
    writer.rule(True)
    writer.rule(False)
    writer.claim("a")


def holder_lost(limit: Limit, *, frozen: bool = True) -> Play:
    def lost(writer: Writer) -> None:
        writer.rule(limit)
        writer.claim("a")
        if frozen:
            writer.note(e.Paused, process="p1")
        writer.rescue("a")

    return lost


def keyed(writer: Writer, *jobs: str, gate: GateRule | None = ONE) -> None:
    for job in jobs:
        writer.enqueue(job, key="k", gate=gate)


def waited_for_a_slot(writer: Writer, gate: GateRule | None = ONE) -> None:
    keyed(writer, "b", "c", gate=gate)
    writer.run("b")
    writer.run("c")


def came_when_the_slot_was_free(writer: Writer) -> None:
    keyed(writer, "b")
    writer.run("b")
    keyed(writer, "c")
    writer.run("c")


def waited_for_a_token(writer: Writer, rule: GateRule = RATE) -> None:
    keyed(writer, "b", "c", gate=rule)
    writer.run("b")
    writer.run("c")


def waited_for_a_paused_key(writer: Writer, *, waits: bool = True) -> None:
    writer.gate("pause")
    if waits:
        keyed(writer, "b")
    writer.gate("resume")
    if not waits:
        keyed(writer, "b")
    writer.run("b")


def scheduled_with_a_key(writer: Writer) -> None:
    writer.enqueue("b", key="k", gate=ONE, scheduled=True)
    writer.gate("pause")
    writer.gate("resume")
    writer.run("b")
    keyed(writer, "never claimed")


def retried_in_its_turn(writer: Writer, *, after: bool = True) -> None:
    keyed(writer, "b", "c")
    if not after:
        writer.run("c")
    writer.run("b", "failed", "failed")
    writer.retry("b")
    writer.run("b")
    if after:
        writer.run("c")


def ruled_anew(writer: Writer, *, while_it_runs: bool = True) -> None:
    keyed(writer, "b")
    writer.claim("b")
    if while_it_runs:
        writer.gate("set", RATE)
    writer.write("b")
    writer.gate("unset")
    if not while_it_runs:
        writer.gate("set", RATE)


def left_waiting(writer: Writer) -> None:
    keyed(writer, "b")
    writer.alter("b", status=Status.WAITING)


def holder_of_a_key_lost(writer: Writer, gate: GateRule = ONE, *, frozen: bool = True, rescued: bool = True) -> None:
    keyed(writer, "b", gate=gate)
    writer.claim("b")
    if frozen:
        writer.note(e.Paused, process="p1")
    if rescued:
        writer.rescue("b")
    else:
        writer.row("b", "lost", "pending")


def turns_taken(writer: Writer, order: str = "bcde") -> None:
    writer.asks = 1
    for job in "bcde":
        writer.enqueue(job, key="k" if job in "bd" else "l", gate=GateRule(share=1))
    for job in order:
        writer.run(job)


REACHED: list[tuple[str, Play]] = [
    ("held back by a limit", held_back(Limit(1), rate=False)),
    ("held back by a rate", held_back(Limit(None, 1.0), rate=True)),
    ("waited for a pause", waited),
    ("holder taken for dead", holder_lost(Limit(1))),
    ("waited for a slot", waited_for_a_slot),
    ("waited for a token", waited_for_a_token),
    ("waited for a paused key", waited_for_a_paused_key),
    ("sequence passed", lambda writer: writer.gate("pass", passed=("a",))),
    ("retried in its turn", retried_in_its_turn),
    ("rule of a key changed", ruled_anew),
    ("left before a gate", left_waiting),
    ("holder of a key taken for dead", holder_of_a_key_lost),
    ("turns taken", turns_taken),
]
"""Each situation of jobs that are held back, and how it comes about."""
MISSED: list[tuple[str, Play]] = [
    ("held back by a limit", held_back(Limit(1), rate=False, waits=False)),
    ("held back by a rate", held_back(Limit(1), rate=False)),
    ("held back by a rate", held_back(Limit(None, 1.0), rate=False)),
    ("held back by a rate", held_back(Limit(1), rate=True)),
    ("waited for a pause", nobody_asked_while_it_was_paused),
    ("holder taken for dead", holder_lost(Limit(2))),
    ("holder taken for dead", holder_lost(Limit(1), frozen=False)),
    ("holder taken for dead", taken_for_dead),
    ("waited for a slot", came_when_the_slot_was_free),
    ("waited for a slot", partial(waited_for_a_slot, gate=None)),
    ("waited for a token", waited_for_a_slot),
    ("waited for a token", partial(waited_for_a_token, rule=GateRule(rate=1.0, burst=2))),
    ("waited for a token", left_waiting),
    ("waited for a paused key", partial(waited_for_a_paused_key, waits=False)),
    ("waited for a paused key", scheduled_with_a_key),
    ("sequence passed", lambda writer: writer.gate("pass")),
    ("retried in its turn", partial(retried_in_its_turn, after=False)),
    ("rule of a key changed", partial(ruled_anew, while_it_runs=False)),
    ("holder of a key taken for dead", partial(holder_of_a_key_lost, gate=GateRule(concurrency=2))),
    ("holder of a key taken for dead", partial(holder_of_a_key_lost, frozen=False)),
    ("holder of a key taken for dead", partial(holder_of_a_key_lost, rescued=False)),
    ("holder of a key taken for dead", waited_for_a_slot),
    ("turns taken", partial(turns_taken, order="bdce")),
]
"""What comes near to one, and is none."""
