"""One sentence for each kind of entry, in the words of the glossary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit
from ferryman.testing.history import entries as e
from ferryman.testing.history.index import Index

SHORT: Final = 6
"""Characters of a job's id that tell it from the others."""


class Names:
    """Short names: `job 3f2a1c`, and `p2/1` for the first node of process p2."""

    def __init__(self, index: Index, jobs: Iterable[str]) -> None:
        self.index = index
        lives: dict[str, int] = {}
        self._nodes: dict[str | int, str] = {}
        for life in index.lives:
            lives[life.process] = lives.get(life.process, 0) + 1
            self._nodes[life.node] = self._nodes[life.number] = f"{life.process}/{lives[life.process]}"
        self._long = {id: id[-SHORT:] for id in jobs} | {
            node: name for node, name in self._nodes.items() if isinstance(node, str)
        }

    def job(self, id: str) -> str:
        """A job."""
        return f"job {id[-SHORT:]}"

    def node(self, node: str | int) -> str:
        """A node, by its id or its number."""
        return self._nodes.get(node, str(node)[-SHORT:])

    def shorten(self, text: str) -> str:
        """A text with short names for the long ones."""
        for long, short in self._long.items():
            if long in text:
                text = text.replace(long, short)
        return text

    def unanswered(self, by: str, call: int) -> str:
        """What to add where an answer never came."""
        return "" if (by, call) in self.index.replied else "; the answer never arrives"


Say = Callable[[Names, Any, frozenset[str]], str]


def say(names: Names, entry: e.AnyEntry, jobs: frozenset[str]) -> str:
    """What an entry tells about some jobs."""
    return _SAYINGS[type(entry)](names, entry, jobs)


# -- clients -----------------------------------------------------------------------------------------


def _asked(names: Names, it: e.Asked, _jobs: frozenset[str]) -> str:
    key = f", unique key {it.unique_key}" if it.unique_key else ""
    key += f", key {it.key}{_kept_to(it.gate)}" if it.key else ""
    later = ", for later" if it.scheduled else ""
    which = names.job(it.job) if it.job else f"a job (request {it.request})"
    if it.follows is not None:
        which += f" to follow run {it.follows[1]} of {names.job(it.follows[0])}"
    own = " in a transaction of the caller's own" if it.together else ""
    return f"asks{own} for {which}: {it.type} in {it.queue}, max_attempts {it.max_attempts}{key}{later}"


def _answered(names: Names, it: e.Answered, _jobs: frozenset[str]) -> str:
    which = names.job(it.job) if it.job else f"request {it.request}"
    told = "nobody knows what became of" if it.verdict == "unknown" else f"is told {it.verdict} for"
    return f"{told} {which}" + (f" ({it.code})" if it.code else "")


def _looked(names: Names, it: e.Looked, _jobs: frozenset[str]) -> str:
    return f"reads {names.job(it.job)}: {it.status}, attempt {it.attempt}, claim number {it.claim}"


def _cancel_answered(names: Names, it: e.CancelAnswered, _jobs: frozenset[str]) -> str:
    which = names.job(it.job)
    return f"reads after the cancel that {which} is {it.after}" if it.after else f"is told no cancel of {which}"


def _retry_answered(names: Names, it: e.RetryAnswered, _jobs: frozenset[str]) -> str:
    return f"{names.job(it.job)} is retried" if it.done else f"is told no retry of {names.job(it.job)}"


# -- rules -------------------------------------------------------------------------------------------


def _rule_asked(_names: Names, it: e.RuleAsked, _jobs: frozenset[str]) -> str:
    wishes = [] if it.paused is None else ["pause" if it.paused else "resume"]
    wishes += [] if it.limit is None else ["limit" if it.limit.is_bound else "end the limit of"]
    return f"asks to {' and '.join(wishes)} {_ruled(it)}" + ("" if it.limit is None else _bounds(it.limit))


def _rule_took(_names: Names, it: e.RuleTook, _jobs: frozenset[str]) -> str:
    return f"from here on {_ruled(it)} is {'paused' if it.paused else 'not paused'}{_bounds(it.limit)}"


def _ruled(it: e.RuleAsked | e.RuleAnswered | e.RuleTook) -> str:
    return f"{it.scope.value} {it.name}"


def _bounds(limit: Limit) -> str:
    most = "" if limit.concurrency is None else f", {limit.concurrency} at once"
    return most + ("" if limit.rate is None else f", {limit.rate:g} in a second and {limit.burst} more")


# -- keys --------------------------------------------------------------------------------------------

_WISHES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pause": "pause",
        "resume": "resume",
        "set": "set the rule of",
        "unset": "unset the rule of",
        "pass": "let pass the sequence of",
    }
)


def _key_asked(_names: Names, it: e.KeyAsked, _jobs: frozenset[str]) -> str:
    return f"asks to {_WISHES[it.wish]} key {it.key}{_kept_to(it.rule)}"


def _key_took(names: Names, it: e.KeyTook, _jobs: frozenset[str]) -> str:
    without = f", without {' and '.join(names.job(id) for id in it.passed)}" if it.passed else ""
    return f"here it takes effect to {_WISHES[it.wish]} key {it.key}{_kept_to(it.rule)}{without}"


def _kept_to(rule: GateRule | None) -> str:
    if rule is None:
        return ""
    most = "" if rule.width is None else f", {rule.width} at once"
    order = f" in sequence, on failure {rule.on_failure.value}" if rule.strict else ""
    return f"{most}{order}" + (
        "" if rule.rate is None else f", {rule.rate:g} in a second, {rule.burst} at most at once"
    )


# -- handlers and nodes ------------------------------------------------------------------------------


def _started(names: Names, it: e.Started, _jobs: frozenset[str]) -> str:
    return f"starts run {it.number} of {names.job(it.job)}, attempt {it.attempt}, on {names.node(it.node)}"


def _ended(names: Names, it: e.Ended, _jobs: frozenset[str]) -> str:
    result = f" {it.result}" if it.how == "returned" and it.result is not None else ""
    how = "is cut off" if it.how == "cut off" else it.how
    return f"the handler of run {it.number} of {names.job(it.job)} {how}{result}"


def _committing(names: Names, it: e.Committing, _jobs: frozenset[str]) -> str:
    result = "" if it.result is None else f" and the result {it.result}"
    return f"the handler of run {it.number} of {names.job(it.job)} wants to commit, with its completion{result}"


def _claiming(names: Names, it: e.Claiming, _jobs: frozenset[str]) -> str:
    return f"{names.node(it.node)} asks for jobs"


def _claimed(names: Names, it: e.Claimed, jobs: frozenset[str]) -> str:
    ours = [f"run {run.number} of {names.job(run.job)}" for run in it.runs if run.job in jobs or not jobs]
    more = f" among {len(it.runs)}" if len(it.runs) > len(ours) else ""
    return f"{names.node(it.node)} has claimed {' and '.join(ours)}{more}{names.unanswered(it.by, it.call)}"


def _passed(names: Names, it: e.Passed, _jobs: frozenset[str]) -> str:
    told = "1 transaction that is" if it.running == 1 else f"{it.running} transactions that are"
    return f"that claim of {names.node(it.node)} has passed {told} in progress still"


def _found(names: Names, it: e.Found, jobs: frozenset[str]) -> str:
    ours = " and ".join(names.job(id) for id in it.jobs if id in jobs)
    how = "of a transaction that it had passed" if it.how == "gap" else "with a look from the beginning"
    return f"{names.node(it.node)} finds {ours} behind its cursor, {how}"


def _undone(names: Names, it: e.Undone, jobs: frozenset[str]) -> str:
    return f"what had taken {' and '.join(names.job(id) for id in it.jobs if id in jobs)} is rolled back"


def _writing(names: Names, it: e.Writing, jobs: frozenset[str]) -> str:
    ours = [
        f"run {run.number} of {names.job(run.job)} as {run.what}, then {run.status}"
        for run in it.runs
        if run.job in jobs or not jobs
    ]
    return f"{names.node(it.node)} wants to write {' and '.join(ours)}"


def _wrote(names: Names, it: e.Wrote, jobs: frozenset[str]) -> str:
    lost = [f"run {number} of {names.job(id)}" for id, number in it.fenced if id in jobs or not jobs]
    fenced = f", but for {' and '.join(lost)}, which is fenced" if lost else ""
    ended = [names.job(id) for id in it.cancelled if id in jobs or not jobs]
    cancelled = f"; {' and '.join(ended)} is cancelled, as somebody had asked" if ended else ""
    return f"that write of {names.node(it.node)} is done{fenced}{cancelled}{names.unanswered(it.by, it.call)}"


def _rescued(names: Names, it: e.Rescued, _jobs: frozenset[str]) -> str:
    runs = "1 run" if it.count == 1 else f"{it.count} runs"
    return f"finds {names.node(it.node)} dead, and gives {runs} back"


# -- whoever injects faults --------------------------------------------------------------------------


def _killed(_names: Names, it: e.Killed, _jobs: frozenset[str]) -> str:
    return f"kills {it.process}" + (f" ({it.during})" if it.during else "")


def _stopped(_names: Names, it: e.Stopped, _jobs: frozenset[str]) -> str:
    unwritten = f", with {it.unwritten} outcomes unwritten" if it.unwritten else ""
    return f"{it.process} has stopped with code {it.code}{unwritten}"


def _stepped(_names: Names, it: e.Stepped, _jobs: frozenset[str]) -> str:
    return f"sets the wall clock{f' of {it.process}' if it.process else ''} by {it.seconds:+g} s"


def _faulted(_names: Names, it: e.Faulted, _jobs: frozenset[str]) -> str:
    how = {
        "before": "fail",
        "after": "fail once it is done",
        "slow": "take long",
        "lost": "lose its connection",
    }[it.kind]
    return f"makes a call of {it.process} {how}: {it.verb}"


_SAYINGS: Final[Mapping[type, Say]] = MappingProxyType(
    {
        e.Asked: _asked,
        e.RuleAsked: _rule_asked,
        e.RuleAnswered: lambda _names, it, _: f"is told {'' if it.done else 'no '}change of {_ruled(it)}",
        e.RuleTook: _rule_took,
        e.KeyAsked: _key_asked,
        e.KeyAnswered: lambda _names, it, _: f"is told {'' if it.done else 'no '}change of key {it.key}",
        e.KeyTook: _key_took,
        e.HeldBack: lambda names, it, _: f"that claim of {names.node(it.node)} has taken all that a limit allows",
        e.Answered: _answered,
        e.CancelAsked: lambda names, it, _: f"asks to cancel {names.job(it.job)}",
        e.CancelAnswered: _cancel_answered,
        e.RetryAsked: lambda names, it, _: f"asks to retry {names.job(it.job)}",
        e.RetryAnswered: _retry_answered,
        e.Looked: _looked,
        e.Started: _started,
        e.Ended: _ended,
        e.Committing: _committing,
        e.Registered: lambda names, it, _: f"registers as node {names.node(it.node)}",
        e.Claiming: _claiming,
        e.Claimed: _claimed,
        e.Passed: _passed,
        e.Found: _found,
        e.Undone: _undone,
        e.Writing: _writing,
        e.Wrote: _wrote,
        e.Committed: lambda names, it, _: f"what run {it.number} of {names.job(it.job)} wrote is committed",
        e.Released: lambda names, it, _: f"{names.node(it.node)} gives back a claim that it never heard of",
        e.Inserted: lambda names, it, jobs: f"{' and '.join(names.job(id) for id in it.jobs if id in jobs)} is stored",
        e.CancelTook: lambda names, it, _: f"the cancel meets {names.job(it.job)}, which is {it.before}",
        e.PromoteTook: lambda _names, it, _jobs: f"{it.count} scheduled jobs are pending now",
        e.Replied: lambda _names, _it, _jobs: "has the answer",
        e.Rescued: _rescued,
        e.Spawned: lambda _names, it, _: f"{it.process} begins",
        e.Killed: _killed,
        e.Stopping: lambda _names, it, _: f"{it.process} is asked to stop",
        e.Stopped: _stopped,
        e.Paused: lambda _names, it, _: f"freezes {'the loop of ' if it.loop_only else ''}{it.process}",
        e.Resumed: lambda _names, it, _: f"lets {it.process} go on",
        e.Stepped: _stepped,
        e.Faulted: _faulted,
        e.Restarted: lambda _names, it, _: f"restarts the store's server, which takes {it.seconds:g} s",
        e.ReadOnly: lambda _names, it, _: f"lets the store's server fail over: nothing is written for {it.seconds:g} s",
        e.Calm: lambda _names, _it, _jobs: "faults end here",
    }
)
