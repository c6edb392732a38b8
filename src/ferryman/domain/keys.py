"""Keys: what jobs that share one keep to."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ferryman.domain.state import Status


class OnFailure(StrEnum):
    """What becomes of a sequence when one of its jobs has failed."""

    HOLD = "hold"
    """It waits until a person retries that job, or lets the sequence go on without it."""
    PASS = "pass"  # noqa: S105 - no password
    """The next job goes."""


class GateRule(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the gate of a key is to keep to; without anything it lets everybody in, and counts them all the same."""

    concurrency: int | None = None
    """How many of the key's jobs may be let in at once."""
    rate: float | None = None
    """How many may be claimed a second."""
    burst: int = 1
    """How many of these may be claimed at the same moment."""
    strict: bool = False
    """A sequence: one at a time, and a job keeps its slot over retries and snoozes until it has ended."""
    on_failure: OnFailure = OnFailure.HOLD
    """For a sequence."""
    share: int | None = None
    """The key's weight among the keys of its lane that have one: its jobs take turns with theirs. None: whoever is
    first goes first."""

    @property
    def width(self) -> int | None:
        """How many slots there are; None is no bound."""
        return 1 if self.strict else self.concurrency

    def keeps_slot(self, status: Status) -> bool:
        """Whether a job that has a slot keeps it when its run leads to `status`.

        One that is pending again at once keeps it, but where each claim is to spend a token. Of a failed one the slot
        stands for the sequence that waits.
        """
        if status is Status.PENDING:
            return self.rate is None
        if status is Status.SCHEDULED:
            return self.strict
        return status is Status.FAILED and self.strict and self.on_failure is OnFailure.HOLD
