"""Why a job has not started: each condition of the claim, judged for one job and said in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from ferryman.domain.job import MICROS, Job, Lane
from ferryman.domain.limits import Rule, Scope, Use, allowance, due
from ferryman.domain.options import rate_in_words
from ferryman.domain.state import Status

AHEAD_MOST: Final = 100_000
"""So many jobs ahead are counted."""


class Condition(msgspec.Struct, frozen=True):
    """One thing that must hold for a job to be claimed."""

    name: str
    holds: bool
    text: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between a job and its start."""

    id: str
    status: Status
    summary: str
    """In one sentence."""
    conditions: tuple[Condition, ...] = ()
    """In the order in which they are judged; none for a job that runs or has ended."""
    ahead: int | None = None
    """How many jobs of its queue come first; None for one that is not pending."""
    estimated_start: int | None = None
    """When it may start if the queue goes on as it does, in microseconds; None where nobody knows."""


class Server(msgspec.Struct, frozen=True):
    """A node that lives: which types it has handlers for, and which queues it serves."""

    types: frozenset[str] | None
    """None: its version does not say."""
    queues: frozenset[str] | None
    """None: all of them."""


class Held(msgspec.Struct, frozen=True):
    """A limit that the job is under, what is used of it, and some of the jobs that have it."""

    use: Use
    holders: Sequence[str]


class AtGate(msgspec.Struct, frozen=True):
    """The key of the job, and who else has it."""

    key: str
    paused: bool
    slots: int
    """How many of its jobs have been let in and have not ended."""
    most: int | None
    """How many may be at once."""
    rate: float | None
    """How many may start in a second."""
    share: int | None
    """Its weight, where keys take turns."""
    waiting: int
    """How many stand before its gate."""
    held_by: Sequence[str]
    """The failed jobs for which its sequence waits."""


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What a job is judged by."""

    rules: Sequence[Rule]
    limits: Sequence[Held]
    nodes: Sequence[Server]
    known: bool
    """Whether any node ever had a handler for its type."""
    last_seen: int | None
    """When the last node that had one ended, as far as that is remembered."""
    ahead: int
    gate: AtGate | None = None
    """None: the job has no key, or its gate has not been made yet."""
    per_second: float | None
    """How many jobs of its queue end in a second."""


def begun(job: Job) -> Explanation:
    """What is said of a job that runs or has ended: it waits for nothing."""
    if job.status is Status.PROCESSING:
        summary = f"It runs on node {job.node}."
    else:
        summary = f"It has ended{'' if job.error is None else f': {job.error.message}'}."
    return Explanation(id=job.id, status=job.status, summary=summary)


def explain(job: Job, around: Circumstances, now: int) -> Explanation:
    """Judge a job that has not started. Times are in microseconds."""
    conditions = tuple(_conditions(job, around, now))
    broken = [each for each in conditions if not each.holds]
    pending = job.status is Status.PENDING
    turn = conditions[-1].text if job.status is Status.WAITING else _turn(around.ahead)
    summary = broken[0].text if broken else turn
    start = None
    if pending and not broken and around.per_second:
        start = now + round(around.ahead / around.per_second * MICROS)
    elif job.status is Status.SCHEDULED and len(broken) == 1:
        start = job.run_at
    return Explanation(
        id=job.id,
        status=job.status,
        summary=summary,
        conditions=conditions,
        ahead=around.ahead if pending else None,
        estimated_start=start,
    )


def _conditions(job: Job, around: Circumstances, now: int) -> Iterable[Condition]:
    if job.status is Status.SCHEDULED:
        yield _time(job, now)
    lane = Lane(job.queue, job.type, job.priority)
    for scope, name in ((Scope.QUEUE, job.queue), (Scope.TYPE, job.type)):
        paused = any(rule.paused and rule.scope is scope and rule.covers(lane) for rule in around.rules)
        text = "is paused; `ferryman resume` lets it go on." if paused else "is not paused."
        yield Condition(f"{scope} not paused", not paused, f"{scope.capitalize()} {name} {text}")
    if around.gate is not None or job.status is Status.WAITING:
        yield _let_in(job, around.gate)
    yield _node(job, around, now)
    for held in around.limits:
        yield _room(held, now)
    if job.status is Status.PENDING:
        yield Condition("its turn", True, _turn(around.ahead))
    elif job.status is Status.WAITING and around.gate is not None and around.gate.share is not None:
        yield Condition("its turn", True, _draw(around.gate))


def _time(job: Job, now: int) -> Condition:
    at = job.run_at or now
    text = f"It is scheduled, in {_span(at - now)}." if at > now else "It is due, and becomes pending at once."
    return Condition("its time has come", at <= now, text)


def _let_in(job: Job, gate: AtGate | None) -> Condition:
    """A gate that has not been made yet is one that nobody has looked at since the job came, as is one with room."""
    name, soon = "let in by its key", "a node lets it in within half a second, if there is room"
    if gate is None:
        return Condition(name, False, f"It has just come before the gate of its key: {soon}.")
    key = f"Key {gate.key}"
    if job.status is not Status.WAITING:
        return Condition(name, True, f"{key} lets it through, or will look at it when it is due.")
    if gate.paused:
        return Condition(name, False, f"{key} is paused; `ferryman keys resume` lets it go on.")
    if gate.held_by:
        failed = ", ".join(gate.held_by)
        hint = "retry it, or let the sequence go on with `ferryman keys pass`"
        return Condition(name, False, f"{key} waits for {failed}, which has failed: {hint}.")
    before = _before(gate)
    if gate.most is not None and gate.slots >= gate.most:
        return Condition(name, False, f"{key} has let in {gate.slots} of at most {gate.most}; {before}.")
    if gate.rate is not None:
        return Condition(name, False, f"{key} lets in {rate_in_words(gate.rate)}; {before}.")
    if gate.share is not None:
        return Condition(name, True, f"{key} has room.")
    return Condition(name, False, f"It has just come before the gate of key {gate.key}: {soon}.")


def _draw(gate: AtGate) -> str:
    return f"Key {gate.key} takes turns with the other keys of its lane, with share {gate.share}: {_before(gate)}."


def _before(gate: AtGate) -> str:
    return f"{_count(gate.waiting, 'job')} wait{'s' if gate.waiting == 1 else ''} before its gate, this one among them"


def _node(job: Job, around: Circumstances, now: int) -> Condition:
    name, queue, type = "a node can run it", job.queue, job.type
    serving = [node for node in around.nodes if node.queues is None or queue in node.queues]
    able = [node for node in serving if node.types is None or type in node.types]
    if able:
        return Condition(name, True, f"{_count(len(able), 'live node')} can run type {type} of queue {queue}.")
    if not around.nodes:
        return Condition(name, False, "No node lives. `ferryman serve` or `ferryman work` starts one.")
    if any(node.types is None or type in node.types for node in around.nodes):
        return Condition(name, False, f"No node that knows type {type} serves queue {queue}: see QUEUES.")
    if not around.known:
        return Condition(name, False, f"No node has ever known type {type}.")
    ago = "" if around.last_seen is None else f"; the last one that did ended {_span(now - around.last_seen)} ago"
    return Condition(name, False, f"No node that lives knows type {type}{ago}.")


def _room(held: Held, now: int) -> Condition:
    rule, limit = held.use.rule, held.use.rule.limit
    bucket = held.use.bucket.filled(limit, now)
    room = allowance(limit, bucket, held.use.processing)
    name, what = f"limit of {rule.scope} {rule.name}", f"{rule.scope.capitalize()} {rule.name}"
    if room:
        return Condition(name, True, f"{what} may start {_count(room, 'job')} now.")
    if limit.concurrency is not None and held.use.processing >= limit.concurrency:
        by = f"{', '.join(held.holders)}{' and others' if held.use.processing > len(held.holders) else ''}"
        return Condition(name, False, f"{what} runs {held.use.processing} of at most {limit.concurrency}: {by}.")
    token = due(limit, bucket)
    wait = "" if token is None else f"; the next start is possible in {_span(token - now)}"
    return Condition(
        name, False, f"{what} has started all that its rate of {rate_in_words(limit.rate or 0)} allows{wait}."
    )


def _turn(ahead: int) -> str:
    if not ahead:
        return "It is the next of its queue."
    many = f"more than {AHEAD_MOST:,} jobs" if ahead > AHEAD_MOST else _count(ahead, "job")
    return f"{many[0].upper()}{many[1:]} of its queue {'comes' if ahead == 1 else 'come'} first."


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _span(micros: int) -> str:
    seconds = max(0, micros) / MICROS
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.1f}".removesuffix(".0") + " s"
