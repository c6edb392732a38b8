"""What one seed plays: the processes, the jobs and what their handlers do, and what goes wrong when.

A plan is data, drawn before anything runs. So a failing one can be shortened: leave something out, run again.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ferryman.domain.cron import Missed
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Scope
from ferryman.domain.schedule import Overlap

Kind = Literal["memory", "sqlite", "postgres"]
"""The last one is a model of what is visibly different there; see `tests/simulation/postgres`."""
Role = Literal["server", "worker", "client"]
Act = Literal[
    "return",
    "raise",
    "retry",
    "snooze",
    "cancel",
    "hang",
    "swallow",
    "stubborn",
    "follow",
    "exit",
    "die",
    "block",
]
World = Literal["holder", "key-holder"]
"""One in which something happens in every seed; see `worlds.py`."""
TYPES = ("echo", "mail", "report")
QUEUES = ("default", "slow")
FAULTS_END = 4.0
"""Virtual seconds after which nothing goes wrong any more."""


class FollowUp(msgspec.Struct, frozen=True):
    """A job that a handler enqueues with its completion."""

    delay: float | None = None
    unique_key: str | None = None
    more: int = 0
    """How many jobs follow that one in turn, under its own unique key."""
    key: str | None = None
    """Whose gate lets it in."""


class Step(msgspec.Struct, frozen=True):
    """What a handler does in one run: it waits for `seconds`, then acts."""

    act: Act
    seconds: float
    follow_ups: tuple[FollowUp, ...] = ()
    block: float | None = None
    """Seconds for which a transaction of the handler's own stays open before it acts, where the store has any."""


class JobPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One request to store a job, and what its handler will do run after run; the last step repeats."""

    at: float
    steps: tuple[Step, ...]
    type: str
    queue: str
    priority: int
    max_attempts: int
    timeout: float | None = None
    delay: float | None = None
    expires: float | None = None
    unique_key: str | None = None
    keyed: bool = False
    """Whether it goes out under an idempotency key instead of an id minted by the caller."""
    again: float | None = None
    """Seconds after its answer at which the caller, who has forgotten it, says it once more."""
    burst: int = 1
    """How many such jobs are asked for at once."""
    key: str | None = None
    """Whose gate lets it in."""


class PersonPlan(msgspec.Struct, frozen=True):
    """A person cancels, retries or looks at a job: the `which`-th that was asked for so far."""

    at: float
    what: Literal["cancel", "retry", "look"]
    which: int


class RulePlan(msgspec.Struct, frozen=True):
    """A person changes the rule for a queue or type."""

    at: float
    scope: Scope
    name: str
    change: bool | Limit
    """Whether it is paused from then on, or what its limit is."""


class GatePlan(msgspec.Struct, frozen=True):
    """What the jobs of a type say of the gates of their keys."""

    type: str
    rule: GateRule


class KeyPlan(msgspec.Struct, frozen=True):
    """A person has something to say about a key: to its gate, to the failed jobs for which its sequence waits, or to
    the `which`-th of its jobs that was asked for so far."""

    at: float
    key: str
    what: Literal["pause", "resume", "set", "unset", "pass", "retry", "cancel"]
    rule: GateRule | None = None
    which: int = 0


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Something goes wrong with the `which`-th living process."""

    at: float
    what: Literal[
        "kill", "die at", "stop", "stop at", "pause", "hold up", "block", "step", "fail", "slow", "outage", "beats"
    ]
    """`hold up` freezes the process that has most jobs in progress, as soon as any has one."""
    which: int
    seconds: float = 0.0
    """How long, or by how much."""
    steps: int = 0
    """A kill comes so many steps of the process later: at any await."""
    verb: str = ""
    after: bool = False
    """Whether the call fails, or the process is stopped or dies, after the store has done it; whether a kill
    counts the steps of the process's threads."""
    times: int = 1


class CrowdPlan(msgspec.Struct, frozen=True):
    """A caller enqueues many jobs in a transaction of its own."""

    at: float
    count: int
    job: int
    """The place of the `JobPlan` of which they have type, queue, priority, attempts and steps."""
    seconds: float
    """How long the transaction stays open."""
    undone: bool
    """Whether the caller takes it all back."""


class SchedulePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the code of every node declares to be enqueued by the clock."""

    name: str
    expression: str
    missed: Missed
    overlap: Overlap


class OutagePlan(msgspec.Struct, frozen=True):
    """The server restarts, or fails over to one that is read-only for a while."""

    at: float
    what: Literal["restart", "read-only"]
    seconds: float


class ServerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a server of which all processes are clients behaves. Shares are those of all transactions or calls."""

    late: float = 0.0
    """The share of transactions that are in progress for long."""
    undone: float = 0.0
    """The share that the server rolls back."""
    lost: float = 0.0
    """The share of calls whose connection is lost while they are under way."""
    rescan: float = 10.0
    """Seconds after which a node looks from the beginning again."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One seed's world."""

    seed: int
    store: Kind
    roles: tuple[Role, ...]
    workers: int
    capacity: int
    lease: float
    beat: float
    stop_deadline: float
    grace: float
    stall: float
    transaction_timeout: float
    max_pending: int
    shares: tuple[tuple[str, int | None], ...] | None
    trip: float
    hiccup: float
    deaf: float
    """The share of wakeups between processes that is lost."""
    skew: float
    """Seconds by which the wall clocks of processes may differ."""
    jobs: tuple[JobPlan, ...]
    people: tuple[PersonPlan, ...]
    faults: tuple[FaultPlan, ...]
    last_kill: bool
    """Whether a process is killed in calm weather, to see how soon its jobs are pending again."""
    rules: tuple[RulePlan, ...] = ()
    """They end when faults do .."""
    limits_stay: bool = False
    """.. but limits that let everything come to its end in good time."""
    priority_factor: int = 100
    server: ServerPlan = ServerPlan()
    crowds: tuple[CrowdPlan, ...] = ()
    outages: tuple[OutagePlan, ...] = ()
    schedules: tuple[SchedulePlan, ...] = ()
    gates: tuple[GatePlan, ...] = ()
    keys: tuple[KeyPlan, ...] = ()
    keys_stay: bool = False
    """Whether, when faults end, gates stay as they are: what is paused, and whose sequence waits for a person, waits
    on in the end. But rates are lifted under which not everything would come to its end in good time."""
