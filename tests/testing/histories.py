"""Writes small histories by hand: each verb notes what a sound store and its users would note, and what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ferryman.domain.job import MICROS, Attempt, Job, JobError
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Rule, Scope
from ferryman.domain.state import Status
from ferryman.testing.history import History, Terms, Violation, check
from ferryman.testing.history import entries as e
from ferryman.testing.history.history import Final

NOT_OF_A_JOB = ("scheduled", "together", "key", "gate")
"""What a request says that the job as it is read does not show."""
SPENDS_NONE = ("snoozed", "released", "interrupted")


class Writer:
    """Writes a history, one second to an entry. Job ids and process names are free; process `p1` has node `n1`."""

    def __init__(self, *, exact: bool = True, terms: Terms | None = None) -> None:
        self.exact = exact
        self.terms = Terms(types=frozenset({"mail"})) if terms is None else terms
        self.entries: list[e.AnyEntry] = []
        self.jobs: dict[str, Job] = {}
        self.rows: dict[str, list[Attempt]] = {}
        self.open: list[tuple[str, int]] = []
        self.ledger: list[tuple[str, int]] = []
        self.rules: dict[tuple[Scope, str], Rule] = {}
        self.at = 0.0
        self.asks = 0
        """For how many jobs each claim asks; 0 where nobody notes it."""
        self._calls = 0

    def note(self, kind: Callable[..., e.AnyEntry], by: str = "nemesis", /, **said: Any) -> int:
        """One entry; returns its place."""
        self.at += 1.0
        self.entries.append(kind(at=self.at, by=by, **said))
        return len(self.entries) - 1

    def call(self) -> int:
        self._calls += 1
        return self._calls

    # -- processes and clients -------------------------------------------------------------------

    def spawn(self, process: str = "p1", number: int | None = None) -> None:
        """A process with a node; `p3` has node `n3`, which the store calls 3."""
        self.note(e.Spawned, process=process)
        self.register(process, int(process[1:]) if number is None else number)

    def register(self, process: str, number: int) -> None:
        self.note(e.Registered, process, node=f"n{number}", number=number)

    def ask(self, job: str = "a", *, minted: bool = True, request: str = "", **changes: Any) -> int:
        shape = {"type": "mail", "queue": "default", "priority": 5, "max_attempts": 3} | changes
        return self.note(e.Asked, "client", request=request or f"r-{job}", job=job if minted else None, **shape)

    def answer(self, job: str | None = "a", verdict: str = "accepted", *, request: str = "", **more: Any) -> int:
        return self.note(e.Answered, "client", request=request or f"r-{job}", job=job, verdict=verdict, **more)

    def store(self, *jobs: str, **changes: Any) -> None:
        """The store takes jobs in."""
        for job in jobs:
            self.jobs[job] = _job(job, **changes)
            self.rows[job] = []
        if self.exact:
            self.note(e.Inserted, "p1", jobs=list(jobs))

    def enqueue(self, job: str = "a", **changes: Any) -> None:
        """Asked for, stored, accepted."""
        shape = {name: value for name, value in changes.items() if name not in NOT_OF_A_JOB}
        self.ask(job, **changes)
        self.store(job, **shape)
        self.answer(job)

    # -- nodes -------------------------------------------------------------------------------------

    def claim(self, *jobs: str, process: str = "p1", node: int | None = None, reply: bool = True, **said: Any) -> int:
        """A node claims jobs, each under its next number; returns the batch."""
        call = self.call()
        number = int(process[1:]) if node is None else node
        self.note(e.Claiming, process, call=call, node=number, batch=call, idle=1, limit=self.asks)
        self.claimed(call, *jobs, process=process, node=number, **said)
        if reply:
            self.note(e.Replied, process, call=call)
        return call

    def claimed(
        self, call: int, *jobs: str, process: str = "p1", node: int = 1, time: float = 0.0, **said: Any
    ) -> None:
        runs: list[e.ClaimedRun] = []
        for job in jobs:
            rows = self.rows[job]
            run: dict[str, Any] = {"number": len(rows) + 1, "attempt": (rows[-1].attempt if rows else 0) + 1}
            run |= {"max_attempts": self.jobs[job].max_attempts, "crashes": 0}
            runs.append(e.ClaimedRun(job=job, **(run | said)))
            self.open.append((job, len(rows) + 1))
        at = round(time * MICROS)
        self.note(e.Claimed, process, call=call, node=node, batch=call, runs=runs, claimed_at=at)

    def start(self, job: str = "a", *, process: str = "p1", node: str | None = None, **said: Any) -> None:
        rows = self.rows[job]
        run = {"number": len(rows) + 1, "attempt": (rows[-1].attempt if rows else 0) + 1} | said
        self.note(e.Started, process, job=job, node=node or f"n{process[1:]}", **run)

    def end(self, job: str = "a", how: str = "returned", result: str | None = None, *, process: str = "p1") -> None:
        self.note(e.Ended, process, job=job, number=len(self.rows[job]) + 1, how=how, result=result)

    def write(
        self,
        job: str = "a",
        what: str = "done",
        status: str = "completed",
        *,
        process: str = "p1",
        node: int | None = None,
        fenced: bool = False,
        reply: bool = True,
        **said: Any,
    ) -> None:
        """A node writes the outcome of the run that is open, which the store takes, unless it is `fenced`."""
        call = self.call()
        number = int(process[1:]) if node is None else node
        run = {"number": len(self.rows[job]) + (0 if fenced else 1), "token": 7} | said
        asked = e.WrittenRun(job=job, what=what, status=status, **run)
        self.note(e.Writing, process, call=call, node=number, runs=[asked])
        if not fenced:
            self.row(job, what, status, node=f"n{number}")
        lost = [(job, asked.number)] if fenced else []
        self.note(e.Wrote, process, call=call, node=number, fenced=lost, cancelled=[])
        if reply:
            self.note(e.Replied, process, call=call)

    def repeat(self, job: str = "a", what: str = "done", status: str = "completed", *, fenced: bool = False) -> None:
        """An outcome of the last run is written once more, under the token of the first; the store changes nothing."""
        call, run = self.call(), (job, len(self.rows[job]))
        asked = e.WrittenRun(job=job, number=run[1], what=what, status=status, token=7)
        self.note(e.Writing, "p1", call=call, node=1, runs=[asked])
        self.note(e.Wrote, "p1", call=call, node=1, fenced=[run] if fenced else [], cancelled=[])
        self.note(e.Replied, "p1", call=call)

    def run(self, job: str = "a", what: str = "done", status: str = "completed", *, process: str = "p1") -> None:
        """Claimed, started, ended, written."""
        self.claim(job, process=process)
        self.start(job, process=process)
        self.end(job, "returned" if what == "done" else "raised", process=process)
        self.write(job, what, status, process=process)

    def follow(self, job: str, source: str = "a", *, process: str = "p1", **changes: Any) -> None:
        """The handler of a job's open run enqueues a follow-up; nothing of it is stored yet."""
        shape = {"type": "mail", "queue": "default", "priority": 5, "max_attempts": 3} | changes
        run = (source, len(self.rows[source]) + 1)
        self.note(e.Asked, process, request=f"follow-up {job}", job=job, follows=run, **shape)

    def brought(self, *jobs: str, **changes: Any) -> None:
        """The store took follow-ups in, with the completion that was noted last."""
        for job in jobs:
            self.jobs[job] = _job(job, **changes)
            self.rows[job] = []

    def commit(self, job: str = "a", result: str | None = None, *, process: str = "p1", rows: int = 1) -> None:
        """The handler's own transaction commits, with its row and the completion of the open run."""
        run = {"job": job, "number": len(self.rows[job]) + 1}
        self.note(e.Committing, process, result=result, **run)
        if self.exact:
            self.note(e.Committed, process, node=int(process[1:]), **run)
        self.ledger += [(job, len(self.rows[job]) + 1)] * rows
        self.row(job, "done", "completed", node=f"n{process[1:]}")
        if result is not None:
            self.alter(job, result=result)

    def rescue(self, *jobs: str, by: str = "p2", node: str = "n1", status: str = "pending") -> None:
        """A node is found dead, and the open runs of jobs are lost with it."""
        for job in jobs:
            self.row(job, "lost", status, node=node)
        self.note(e.Rescued, by, node=node, count=len(jobs))

    # -- people ------------------------------------------------------------------------------------

    def cancel(self, job: str = "a") -> None:
        """Of a job that waits."""
        asked = self.note(e.CancelAsked, "client", job=job)
        before = self.jobs[job].status
        self.row(job, "cancelled", "cancelled", node=None)
        self.note(e.CancelTook, "p1", asked=asked, job=job, before=before.value)
        self.note(e.CancelAnswered, "client", job=job, after="cancelled")

    def retry(self, job: str = "a") -> None:
        self.note(e.RetryAsked, "client", job=job)
        self.row(job, "retried", "pending", node=None)
        self.note(e.RetryAnswered, "client", job=job, done=True)

    def look(self, job: str, status: str, attempt: int, claim: int, *, asked: int | None = None) -> None:
        place = len(self.entries) if asked is None else asked
        self.note(e.Looked, "client", asked=place, job=job, status=status, attempt=attempt, claim=claim)

    def rule(
        self, change: bool | Limit, name: str = "default", *, scope: Scope = Scope.QUEUE, done: bool = True
    ) -> None:
        """Somebody pauses or resumes a queue or type, or changes its limit."""
        self.ask_rule(call := self.call(), change, name, scope)
        if self.exact and done:
            before = self.rules.get((scope, name), Rule(scope, name))
            said = {"limit": change} if isinstance(change, Limit) else {"paused": change}
            self.rules[scope, name] = now = msgspec.structs.replace(before, **said)
            self.note(e.RuleTook, "p1", scope=scope, name=name, paused=now.paused, limit=now.limit)
        self.note(e.RuleAnswered, "client", call=call, scope=scope, name=name, done=done)

    def ask_rule(self, call: int, change: bool | Limit, name: str = "default", scope: Scope = Scope.QUEUE) -> None:
        said: dict[str, Any] = {"limit": change} if isinstance(change, Limit) else {"paused": change}
        self.note(e.RuleAsked, "client", call=call, scope=scope, name=name, **said)

    def gate(
        self, wish: e.Wish, rule: GateRule | None = None, *, passed: tuple[str, ...] = (), done: bool = True
    ) -> None:
        """Somebody asks something of the gate of key `k`."""
        self.ask_gate(call := self.call(), wish, rule)
        if self.exact and done:
            self.note(e.KeyTook, "p1", key="k", wish=wish, rule=rule, passed=passed)
        self.note(e.KeyAnswered, "client", call=call, key="k", done=done)

    def ask_gate(self, call: int, wish: e.Wish, rule: GateRule | None = None) -> None:
        self.note(e.KeyAsked, "client", call=call, key="k", wish=wish, rule=rule)

    # -- the store ---------------------------------------------------------------------------------

    def row(self, job: str, what: str, status: str, *, node: str | None = "n1", **changes: Any) -> None:
        """An outcome, and the job as it leaves it."""
        rows = self.rows[job]
        spent = rows[-1].attempt if rows else 0
        if what == "retried":
            spent = 0
        elif node is not None and what not in SPENDS_NONE:
            spent += 1
        ended = Attempt(
            number=len(rows) + 1,
            what=what,
            status=Status(status),
            attempt=spent,
            error=JobError("FM501", "ValueError", "no") if what == "failed" else None,
            started_at=None if node is None or what == "released" else 1,
            finished_at=2,
            worker_id=None,
            node=node,
        )
        rows.append(msgspec.structs.replace(ended, **changes))
        self.open = [run for run in self.open if run != (job, len(rows))]
        self.alter(job, status=Status(status), claim=len(rows), attempt=rows[-1].attempt)

    def alter(self, job: str, **changes: Any) -> None:
        """The job otherwise than its outcomes say."""
        self.jobs[job] = msgspec.structs.replace(self.jobs[job], **changes)

    # -- judging -----------------------------------------------------------------------------------

    @property
    def history(self) -> History:
        return History(
            entries=self.entries,
            final=Final(jobs=self.jobs, attempts=self.rows, open=self.open, ledger=self.ledger),
            terms=self.terms,
            exact=self.exact,
        )

    def broken(self) -> list[str]:
        """The promises that are broken, each once, in order."""
        return list(dict.fromkeys(each.promise for each in self.violations()))

    def violations(self) -> list[Violation]:
        return check(self.history)


def _job(id: str, **changes: Any) -> Job:
    said: dict[str, Any] = {
        "id": id,
        "type": "mail",
        "queue": "default",
        "priority": 5,
        "status": Status.PENDING,
        "attempt": 0,
        "max_attempts": 3,
        "claim": 0,
        "payload": "{}",
        "result": None,
        "error": None,
        "run_at": None,
        "created_at": 0,
        "started_at": None,
        "finished_at": None,
        "expires_at": None,
        "worker_id": None,
        "node": None,
        "unique_key": None,
        "tags": (),
    }
    return Job(**(said | changes))
