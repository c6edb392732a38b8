"""What clients note: what they asked for, and what they were answered."""

from __future__ import annotations

from typing import Literal

from ferryman.domain.keys import GateRule
from ferryman.testing.history.entries.entry import Entry, RunKey

Verdict = Literal["accepted", "replayed", "existed", "refused", "unknown"]


class Asked(Entry, frozen=True, kw_only=True):
    """A request to store a job goes out, maybe again."""

    request: str
    """The client's own name for the request; saying it again does not change it."""
    job: str | None
    """The job's id where the client minted it."""
    type: str
    queue: str
    priority: int
    max_attempts: int
    scheduled: bool = False
    """Whether it asks for a later time."""
    unique_key: str | None = None
    follows: RunKey | None = None
    """For a follow-up, the run that brings it, and that asked for it: nobody is answered. It stands where the
    handler asked for it; it is stored, if at all, when the run's completion takes effect."""
    together: bool = False
    """Whether it is enqueued in a transaction of the caller's own. It is stored when that commits, and has its place
    in the line from before that."""
    tick: tuple[str, int] | None = None
    """For a job that a node asks for as a schedule fires: the schedule, and the instant. Nobody is answered."""
    key: str | None = None
    """Whose gate is to let it in, .."""
    gate: GateRule | None = None
    """.. and what it says of that."""


class Answered(Entry, frozen=True, kw_only=True):
    """What the client was told, or "unknown" once it gives up."""

    request: str
    job: str | None
    """The job that stands for the request; None if it was refused or nobody knows."""
    verdict: Verdict
    code: str | None = None


class CancelAsked(Entry, frozen=True, kw_only=True):
    """Somebody asks to cancel a job."""

    job: str


class CancelAnswered(Entry, frozen=True, kw_only=True):
    """`after` is the status that the job was read with then; None if there was no answer, or a refusal."""

    job: str
    after: str | None


class RetryAsked(Entry, frozen=True, kw_only=True):
    """Somebody asks to retry a job by hand."""

    job: str


class RetryAnswered(Entry, frozen=True, kw_only=True):
    """`done` tells whether the answer was that the job is pending again."""

    job: str
    done: bool


class Looked(Entry, frozen=True, kw_only=True):
    """Somebody read a job; `asked` is the place in the history at which the reading began."""

    asked: int
    job: str
    status: str
    attempt: int
    claim: int
