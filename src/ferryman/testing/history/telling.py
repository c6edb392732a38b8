"""Tells a violation as a story: who did what when, and what the store says in the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from ferryman.domain.limits import Scope
from ferryman.testing.history.entries import (
    AnyEntry,
    Calm,
    Faulted,
    KeyAnswered,
    KeyAsked,
    KeyTook,
    ReadOnly,
    Restarted,
    RuleAnswered,
    RuleAsked,
    RuleTook,
    RunKey,
    Stepped,
    fields,
)
from ferryman.testing.history.history import History, Violation
from ferryman.testing.history.index import Index
from ferryman.testing.history.sentences import Names, say

Line = tuple[float, str, str]
"""(seconds since the first entry, who, what)"""
LIMIT: Final = 60
_OF_RUNS: Final = frozenset(
    {"insert", "claim", "finish", "release", "open_batches", "rescue", "beat", "retire", "begin", "commit"}
)
"""Calls that have to do with how runs go."""


def story(history: History, violation: Violation, limit: int = LIMIT) -> str:
    """What is to be read about a violation, one line for each thing that happened.

    It is about the violation's jobs and nodes: what was asked of them and by whom, which processes had to do with
    them, and what befell those. What says the same several times in a row is said once.

    Args:
        history: where it happened.
        violation: as `check` gave it.
        limit: lines; beyond that the middle is left out.
    """
    index = Index(history)
    cast = Cast(index, violation)
    names = Names(index, cast.jobs)
    began = history.entries[0].at if history.entries else 0.0
    lines = [
        (entry.at - began, entry.by, names.shorten(say(names, entry, cast.jobs)))
        for entry in history.entries
        if cast.concerns(entry)
    ]
    told = [
        names.shorten(str(violation)),
        *_shown(list(_collapsed(lines)), limit),
        "In the end the store says:",
        *(f"  {line}" for line in _ending(index, names, cast.jobs)),
    ]
    return "\n".join(told)


class Cast:
    """Whom a story is about."""

    def __init__(self, index: Index, violation: Violation) -> None:
        self.jobs = frozenset(violation.jobs)
        runs: set[RunKey] = {key for key in index.claims if key[0] in self.jobs}
        claims = [claim for key in runs for claim in index.claims[key]]
        self._rules = _rules_over(index, self.jobs)
        self._keys = {index.keyed[id].asked.key for id in self.jobs if id in index.keyed}
        self._batches = {(claim.node, claim.batch) for claim in claims}
        self._calls = {(claim.process, claim.call) for claim in claims}
        lives = [index.life_of[node] for node in violation.nodes if node in index.life_of]
        lives += [index.life[claim.node] for claim in claims if claim.node in index.life]
        lives += [
            index.life_of[start.node]
            for key, starts in index.starts.items()
            if key[0] in self.jobs
            for _, start in starts
            if start.node in index.life_of
        ]
        self._nodes = {life.node for life in lives} | {life.number for life in lives}
        self._processes = {life.process for life in lives}
        self._named: set[int] = set() if self.jobs else {life.number for life in lives}
        self._requests = {
            name
            for name, request in index.requests.items()
            if request.asked.job in self.jobs or any(answer.job in self.jobs for _, answer in request.answers)
        }

    def concerns(self, entry: AnyEntry) -> bool:
        """Whether an entry is about them."""
        if isinstance(entry, Calm | Restarted | ReadOnly):
            return True
        if isinstance(entry, Stepped) and not entry.process:
            return True
        if isinstance(entry, RuleAsked | RuleAnswered | RuleTook | KeyAsked | KeyAnswered | KeyTook):
            return self._is_ruled(entry)
        said = fields(entry)
        if "request" in said:
            return said["request"] in self._requests
        if "process" in said:
            return said["process"] in self._processes and not (isinstance(entry, Faulted) and self._minor(entry))
        if "jobs" in said:
            return not self.jobs.isdisjoint(said["jobs"])
        if "batch" in said:
            return (said["node"], said["batch"]) in self._batches or said["node"] in self._named
        if "job" in said:
            return said["job"] in self.jobs
        if "runs" in said or "fenced" in said:
            return self._writes(entry.by, said)
        return said.get("node") in self._nodes

    def _is_ruled(self, entry: RuleAsked | RuleAnswered | RuleTook | KeyAsked | KeyAnswered | KeyTook) -> bool:
        """Whether a rule is for them."""
        if isinstance(entry, KeyAsked | KeyAnswered | KeyTook):
            return entry.key in self._keys
        return (entry.scope, entry.name) in self._rules

    def _writes(self, process: str, said: dict[str, Any]) -> bool:
        """Whether outcomes of these jobs are written; the answer is told with the call that it answers."""
        if any(run.job in self.jobs for run in said.get("runs", ())):
            self._calls.add((process, said["call"]))
            return True
        return (process, said["call"]) in self._calls or said["node"] in self._named

    def _minor(self, fault: Faulted) -> bool:
        """Faults of calls that have nothing to do with how runs go."""
        return fault.verb not in _OF_RUNS


def _rules_over(index: Index, jobs: Iterable[str]) -> frozenset[tuple[Scope, str]]:
    """What the rules for these jobs are for."""
    there = [index.final.jobs[id] for id in jobs if id in index.final.jobs]
    return frozenset({(Scope.QUEUE, job.queue) for job in there} | {(Scope.TYPE, job.type) for job in there})


def _collapsed(lines: Iterable[Line]) -> Iterator[str]:
    """Each line as it is printed; neighbours that say the same are one."""
    last: Line | None = None
    times = 0
    for line in lines:
        if last is not None and line[1:] == last[1:]:
            times += 1
            continue
        if last is not None:
            yield _printed(last, times)
        last, times = line, 1
    if last is not None:
        yield _printed(last, times)


def _printed(line: Line, times: int) -> str:
    at, who, what = line
    return f"  {at:9.3f} s  {who}: {what}" + (f" ({times} times)" if times > 1 else "")


def _shown(lines: Sequence[str], limit: int) -> list[str]:
    """At most so many: the beginning, and more of the end."""
    if len(lines) <= limit:
        return list(lines)
    first = limit // 3
    last = limit - first
    return [*lines[:first], f"  ... {len(lines) - limit} lines are left out ...", *lines[len(lines) - last :]]


def _ending(index: Index, names: Names, jobs: Iterable[str]) -> Iterator[str]:
    """What became of each job."""
    for id in sorted(jobs):
        job = index.final.jobs.get(id)
        if job is None:
            yield f"{names.job(id)} is not there"
            continue
        ends = [
            f"{row.number} {row.what}" + (f" on {names.node(row.node)}" if row.node else "")
            for row in index.final.attempts.get(id, ())
        ]
        runs = f", after {', '.join(ends)}" if ends else ", and never ran"
        result = f", with the result {job.result}" if job.result is not None else ""
        yield f"{names.job(id)} is {job.status}{result}{runs}"
    if not jobs:
        yield "nothing of these nodes in particular"
