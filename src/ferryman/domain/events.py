"""What happened, as values: emitted after it is durable, listened to by metrics and logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish, Outcome


class Enqueued(msgspec.Struct, frozen=True):
    """`count` jobs of one type were accepted into a queue."""

    type: str
    queue: str
    count: int


class Ended(msgspec.Struct, frozen=True, gc=False):
    """One run: the claim it had, how it ended, and what was decided."""

    job: ClaimedJob
    outcome: Outcome
    finish: Finish


class RunsEnded(msgspec.Struct, frozen=True):
    """A batch of runs whose outcomes are committed."""

    runs: Sequence[Ended]


class WritesFenced(msgspec.Struct, frozen=True):
    """Writes that changed nothing, because their claim was no longer theirs."""

    runs: Sequence[Ended]


class ReportsFenced(msgspec.Struct, frozen=True):
    """Runs said how far they are, or logged, when their claim was no longer theirs; nothing of it is kept."""

    jobs: Sequence[ClaimedJob]


class JobsRescued(msgspec.Struct, frozen=True):
    """Claims of a dead node were given back."""

    node: str
    count: int


class JobCancelledByRequest(msgspec.Struct, frozen=True):
    """A job was cancelled while it waited, or its running handler was asked to end."""

    id: str
    type: str
    queue: str
    running: bool


class JobRetriedByRequest(msgspec.Struct, frozen=True):
    """A person sent a failed or cancelled job back to pending."""

    id: str
    type: str
    queue: str


class StaleStart(msgspec.Struct, frozen=True):
    """A handler was about to start although its node could not vouch for the claim any more."""

    job: ClaimedJob


class LoopStalled(msgspec.Struct, frozen=True):
    """The event loop did not turn for `seconds`; `running` names the jobs on it."""

    seconds: float
    running: tuple[str, ...]


class ThreadStuck(msgspec.Struct, frozen=True):
    """A handler in a thread did not end at its timeout; its slot was replaced."""

    job: ClaimedJob
    worker: str


Event = (
    Enqueued
    | RunsEnded
    | WritesFenced
    | ReportsFenced
    | JobsRescued
    | JobCancelledByRequest
    | JobRetriedByRequest
    | StaleStart
    | LoopStalled
    | ThreadStuck
)
Listener = Callable[[Event], None]


class Events:
    """Hands every event to every listener, in the order in which they were added."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = list(listeners)

    def listen(self, listener: Listener) -> None:
        """Add a listener; it must not block."""
        self._listeners.append(listener)

    def emit(self, event: Event) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener(event)
