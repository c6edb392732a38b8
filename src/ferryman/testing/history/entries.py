"""What happened, as those saw it who took part: the entries of a history.

Nobody here is the store. Clients note what they asked and were answered, handlers note on their own that
they start and end, nodes note what they asked of the store and what it answered, whoever injects faults
notes those. A checker needs no more than that and the final state.

In a simulation an entry marked "takes effect" stands where the store did it, even if the answer was lost
afterwards. Between real processes nobody can see that: it stands where the answer was read, and is missing
where there was none (see `History.exact`).
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

Verdict = Literal["accepted", "replayed", "existed", "refused", "unknown"]
How = Literal["returned", "raised", "snoozed", "cancelled", "cut off"]
RunKey = tuple[str, int]
"""(job id, claim number): one run."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="entry", gc=False):
    """One line of a history. Its place in the list is its place in time."""

    at: float
    """Seconds of a monotonic clock that all processes share."""
    by: str
    """Which process notes this."""


# -- clients -----------------------------------------------------------------------------------------


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


# -- handlers, in a log of their own -------------------------------------------------------------------


class Started(Entry, frozen=True, kw_only=True):
    """A handler starts."""

    job: str
    number: int
    attempt: int
    node: str


class Ended(Entry, frozen=True, kw_only=True):
    """A handler ends; one that dies with its process notes nothing."""

    job: str
    number: int
    how: How
    result: str | None = None
    """JSON text, for "returned"."""


# -- nodes ---------------------------------------------------------------------------------------------


class Registered(Entry, frozen=True, kw_only=True):
    """A process has a live node under this id; `number` is the store's name for it."""

    node: str
    number: int


class ClaimedRun(msgspec.Struct, frozen=True, gc=False):
    """One job of a claim."""

    job: str
    number: int
    attempt: int
    max_attempts: int
    crashes: int


class WrittenRun(msgspec.Struct, frozen=True, gc=False):
    """One outcome that a node wants written."""

    job: str
    number: int
    what: str
    status: str
    token: int


class Claiming(Entry, frozen=True, kw_only=True):
    """A node asks for jobs."""

    call: int
    """Joins what belongs to one call of the store."""
    node: int
    batch: int
    idle: int


class Claimed(Entry, frozen=True, kw_only=True):
    """The claim takes effect. One that gives nothing is not noted, nor is its asking."""

    call: int
    node: int
    batch: int
    runs: list[ClaimedRun]


class Writing(Entry, frozen=True, kw_only=True):
    """A node asks to write outcomes."""

    call: int
    node: int
    runs: list[WrittenRun]


class Wrote(Entry, frozen=True, kw_only=True):
    """The write takes effect."""

    call: int
    node: int
    fenced: list[RunKey]
    cancelled: list[str]
    """Jobs that would have run again, but ended cancelled because somebody had asked for it."""


class Released(Entry, frozen=True, kw_only=True):
    """A whole claim whose answer was lost is given back; takes effect."""

    node: int
    batch: int
    count: int


class Inserted(Entry, frozen=True, kw_only=True):
    """Jobs that a store took in; takes effect. Only in exact histories."""

    jobs: list[str]


class CancelTook(Entry, frozen=True, kw_only=True):
    """A cancel takes effect; `asked` is the place at which it was asked for. Only in exact histories."""

    asked: int
    job: str
    before: str


class PromoteTook(Entry, frozen=True, kw_only=True):
    """Due jobs became pending; takes effect. Only in exact histories."""

    asked: int
    count: int


class Replied(Entry, frozen=True, kw_only=True):
    """The answer of a `Claiming` or `Writing` reaches the node; where this is missing, the answer was lost."""

    call: int


class Rescued(Entry, frozen=True, kw_only=True):
    """A node was found dead, and its claims were given back; takes effect."""

    node: str
    count: int


# -- whoever runs the processes, and injects faults ----------------------------------------------------------


class Spawned(Entry, frozen=True, kw_only=True):
    """A process begins. Its name is never used again."""

    process: str


class Killed(Entry, frozen=True, kw_only=True):
    """A process ends without a word."""

    process: str
    during: str | None = None
    """What it was doing, where that is known: one of `IN_FLIGHT`."""


class Stopping(Entry, frozen=True, kw_only=True):
    """A process is asked to stop."""

    process: str


class Stopped(Entry, frozen=True, kw_only=True):
    """It has stopped by itself, and says how."""

    process: str
    code: int
    unwritten: int = 0
    """Outcomes that it says it could not write."""


class Paused(Entry, frozen=True, kw_only=True):
    """A process is frozen, all of it (SIGSTOP) or, with `loop_only`, its event loop."""

    process: str
    loop_only: bool = False


class Resumed(Entry, frozen=True, kw_only=True):
    """It goes on."""

    process: str


class Stepped(Entry, frozen=True, kw_only=True):
    """The wall clock is set forward or back; for one process, or for all if `process` is empty."""

    seconds: float
    process: str = ""


class Faulted(Entry, frozen=True, kw_only=True):
    """A call of the store is made to fail, before or after it took effect, or takes long."""

    process: str
    verb: str
    kind: Literal["before", "after", "slow"]


class Calm(Entry, frozen=True, kw_only=True):
    """From here on nothing is made to fail."""


AnyEntry = (
    Asked
    | Answered
    | CancelAsked
    | CancelAnswered
    | RetryAsked
    | RetryAnswered
    | Looked
    | Started
    | Ended
    | Registered
    | Claiming
    | Claimed
    | Writing
    | Wrote
    | Released
    | Inserted
    | CancelTook
    | PromoteTook
    | Replied
    | Rescued
    | Spawned
    | Killed
    | Stopping
    | Stopped
    | Paused
    | Resumed
    | Stepped
    | Faulted
    | Calm
)
IN_FLIGHT: Final = ("accepting", "claimed", "running", "in transaction", "flushing")
"""What can be under way in a node at the moment of its death."""

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[AnyEntry]] = msgspec.json.Decoder(AnyEntry)


def to_line(entry: AnyEntry) -> bytes:
    """An entry as one line of JSON, with its newline."""
    return _encoder.encode(entry) + b"\n"


def from_line(line: bytes) -> AnyEntry:
    """The entry of a line.

    Raises:
        msgspec.ValidationError: the line is not whole, or no entry.
    """
    return _decoder.decode(line)


def fields(entry: Entry) -> dict[str, Any]:
    """What an entry says besides when and who, for people."""
    return {name: getattr(entry, name) for name in entry.__struct_fields__ if name not in ("at", "by")}
