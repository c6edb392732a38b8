"""Explanations: what each circumstance is called, and what is said first."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ferryman.domain.explain import AHEAD_MOST, AtGate, Circumstances, Explanation, Held, Server, begun, explain
from ferryman.domain.job import MICROS, Job, JobError
from ferryman.domain.limits import TOKEN, Bucket, Limit, Rule, Scope, Use
from ferryman.domain.state import Status

NOW = 10**15
ANYTHING = Server(None, None)
FINE = Circumstances(rules=[], limits=[], nodes=[ANYTHING], known=True, last_seen=None, ahead=0, per_second=None)


def job(status: Status = Status.PENDING, **more: Any) -> Job:
    fields: dict[str, Any] = dict.fromkeys(Job.__struct_fields__)
    fields |= {"id": "j", "type": "send", "queue": "mail", "priority": 5, "status": status}
    return Job(**fields | more)


def told(job: Job, **around: Any) -> Explanation:
    return explain(job, msgspec.structs.replace(FINE, **around), NOW)


def broken(explanation: Explanation) -> list[str]:
    return [each.text for each in explanation.conditions if not each.holds]


def test_nothing_stands_before_a_job_that_can_start() -> None:
    found = told(job())
    assert broken(found) == []
    assert (found.summary, found.ahead, found.estimated_start) == ("It is the next of its queue.", 0, None)
    assert [each.name for each in found.conditions] == [
        "queue not paused",
        "type not paused",
        "a node can run it",
        "its turn",
    ]


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        (1, "1 job of its queue comes first."),
        (1234, "1,234 jobs of its queue come first."),
        (AHEAD_MOST + 1, "More than 100,000 jobs of its queue come first."),
    ],
)
def test_those_who_come_first_are_counted(ahead: int, text: str) -> None:
    found = told(job(), ahead=ahead, per_second=2.0)
    assert (found.summary, found.ahead) == (text, ahead)
    assert found.estimated_start == NOW + ahead * MICROS // 2


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule(Scope.QUEUE, "mail", paused=True), "Queue mail is paused; `ferryman resume` lets it go on."),
        (Rule(Scope.TYPE, "send", paused=True), "Type send is paused; `ferryman resume` lets it go on."),
    ],
)
def test_a_pause_is_named(rule: Rule, text: str) -> None:
    found = told(job(), rules=[rule, Rule(Scope.QUEUE, "other", paused=True)], per_second=2.0)
    assert broken(found) == [text]
    assert (found.summary, found.estimated_start) == (text, None)


@pytest.mark.parametrize(
    ("around", "text"),
    [
        ({"nodes": []}, "No node lives. `ferryman serve` or `ferryman work` starts one."),
        (
            {"nodes": [Server(frozenset({"send"}), frozenset({"other"})), Server(frozenset({"x"}), None)]},
            "No node that knows type send serves queue mail: see QUEUES.",
        ),
        ({"nodes": [Server(frozenset({"x"}), None)], "known": False}, "No node has ever known type send."),
        ({"nodes": [Server(frozenset({"x"}), None)]}, "No node that lives knows type send."),
        (
            {"nodes": [Server(frozenset({"x"}), None)], "last_seen": NOW - 90 * MICROS},
            "No node that lives knows type send; the last one that did ended 1.5 min ago.",
        ),
    ],
)
def test_a_missing_node_is_named(around: dict[str, Any], text: str) -> None:
    assert broken(told(job(), **around)) == [text]


def held(limit: Limit, *, processing: int = 0, level: int | None = None, holders: tuple[str, ...] = ()) -> Held:
    return Held(Use(Rule(Scope.QUEUE, "mail", limit=limit), Bucket(level, NOW), processing), holders)


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (held(Limit(2), processing=2, holders=("a", "b")), "Queue mail runs 2 of at most 2: a, b."),
        (held(Limit(2), processing=3, holders=("a", "b")), "Queue mail runs 3 of at most 2: a, b and others."),
        (
            held(Limit(rate=2, burst=1), level=TOKEN // 2),
            "Queue mail has started all that its rate of 2/s allows; the next start is possible in 250 ms.",
        ),
        (
            held(Limit(9, rate=0.01, burst=1), level=0, processing=3),
            "Queue mail has started all that its rate of 36/h allows; the next start is possible in 1.7 min.",
        ),
    ],
)
def test_a_limit_without_room_is_named(limit: Held, text: str) -> None:
    assert broken(told(job(), limits=[limit])) == [text]


def test_a_limit_with_room_says_how_much() -> None:
    (text,) = (
        each.text for each in told(job(), limits=[held(Limit(3), processing=1)]).conditions if "limit" in each.name
    )
    assert text == "Queue mail may start 2 jobs now."


def gate(**more: Any) -> AtGate:
    given: dict[str, Any] = {"paused": False, "slots": 1, "most": 1, "rate": None, "share": None, "waiting": 2}
    given["held_by"] = ()
    return AtGate("acme", **given | more)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (gate(paused=True), "Key acme is paused; `ferryman keys resume` lets it go on."),
        (gate(), "Key acme has let in 1 of at most 1; 2 jobs wait before its gate, this one among them."),
        (
            gate(held_by=("a",)),
            "Key acme waits for a, which has failed: retry it, or let the sequence go on with `ferryman keys pass`.",
        ),
        (
            gate(most=None, rate=0.1, waiting=1),
            "Key acme lets in 6/m; 1 job waits before its gate, this one among them.",
        ),
        (
            gate(slots=0),
            "It has just come before the gate of key acme: a node lets it in within half a second, if there is room.",
        ),
        (
            None,
            "It has just come before the gate of its key: a node lets it in within half a second, if there is room.",
        ),
    ],
)
def test_a_job_before_its_gate_is_told_what_keeps_it(at: AtGate | None, text: str) -> None:
    found = told(job(Status.WAITING), gate=at)
    assert (broken(found), found.summary, found.ahead) == ([text], text, None)


def test_a_job_behind_its_gate_waits_for_nothing_of_its_key() -> None:
    assert broken(told(job(), gate=gate())) == []


def test_a_scheduled_job_waits_for_its_time() -> None:
    found = told(job(Status.SCHEDULED, run_at=NOW + 3 * 3600 * MICROS))
    assert (found.summary, found.ahead) == ("It is scheduled, in 3 h.", None)
    assert found.estimated_start == NOW + 3 * 3600 * MICROS
    both = told(job(Status.SCHEDULED, run_at=NOW + 2 * MICROS), nodes=[])
    assert (len(broken(both)), both.estimated_start) == (2, None)
    due = told(job(Status.SCHEDULED, run_at=NOW))
    assert broken(due) == []
    assert due.conditions[0].text == "It is due, and becomes pending at once."


@pytest.mark.parametrize(
    ("found", "summary"),
    [
        (job(Status.PROCESSING, node="n1"), "It runs on node n1."),
        (job(Status.COMPLETED), "It has ended."),
        (job(Status.FAILED, error=JobError("FM501", "X", "No such user")), "It has ended: No such user."),
    ],
)
def test_what_has_started_waits_for_nothing(found: Job, summary: str) -> None:
    assert begun(found) == Explanation(id="j", status=found.status, summary=summary)


def test_a_key_that_takes_turns_holds_nobody_up() -> None:
    turns = gate(most=None, share=2)
    found = told(job(Status.WAITING), gate=turns)
    text = "Key acme takes turns with the other keys of its lane, with share 2: 2 jobs wait before its gate, this one"
    assert (broken(found), found.summary) == ([], f"{text} among them.")
    assert told(job(Status.WAITING), gate=turns, nodes=()).summary.startswith("No node lives.")
    assert told(job(Status.WAITING), gate=gate(share=2)).summary.startswith("Key acme has let in 1 of at most 1")
