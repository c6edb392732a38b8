"""The verbs by which people control what waits: where it stands, when it runs, whether it runs; and delete what ended.

They are rare, so they may touch what the verbs of the engine never touch: the lane and the time in a job's body are
written anew, which keeps the two true for everybody who reads them once the job has left its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.job import Lane
from ferryman.domain.state import Status
from ferryman.store.watching import Version


class Placement(msgspec.Struct, frozen=True):
    """Where a job is to stand, and from when on it may run. None leaves it as it is."""

    queue: str | None = None
    priority: int | None = None
    run_at: int | None = None
    """Microseconds; a time that has come makes the job pending."""

    def lane(self, before: Lane) -> Lane:
        """The lane of a job that stood in `before`."""
        queue = before.queue if self.queue is None else self.queue
        return Lane(queue, before.type, before.priority if self.priority is None else self.priority)

    def due(self, before: int | None, now: int) -> int | None:
        """When a job is due that was due at `before`; None is pending, before and after."""
        if self.run_at is None:
            return before
        return self.run_at if self.run_at > now else None


class Deleted(msgspec.Struct, frozen=True):
    """What became of a wish to delete a job: `before` is its status, None if there is no such job."""

    before: Status | None
    gone: bool = False
    """False where it has not ended, or where others are not done that were claimed together with it."""


class Controlling(Protocol):
    """What a store does for those who look after its queues."""

    async def place(
        self,
        ids: Sequence[str],
        placement: Placement,
        now: int,
        *,
        deed: Deed | None = None,
        expected: Version | None = None,
    ) -> Mapping[str, Status]:
        """Give pending and scheduled jobs another queue, priority or time, all in one commit; leave all others alone.

        Jobs with keys are left alone, too, and are told of as waiting: their gates know where they stand.

        A job that comes into another lane, or that becomes pending, stands at the end of its line, in the order of
        `ids`. One that stands where it is to stand keeps its place. A deed is `over` those that were moved.

        Returns:
            The status in which each job was met; without those that are not there or whose retention has passed.

        Raises:
            PreconditionFailed: one of them has another version than `expected`; nothing was changed.
        """
        ...

    async def cancel_waiting(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> Sequence[str]:
        """Cancel those of these jobs that nobody runs, all in one commit. Returns their ids, in the given order.

        A deed is `over` them.
        """
        ...

    async def delete(self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None) -> Deleted:
        """Delete a job that has ended, with its attempts, errors and result; a sequence that waits for it goes on.

        While the claim that it ran in is open, a store may keep it: a late finish has to find what fences it. Its
        idempotency key stays until it expires, so that the request which made the job is not run again. A deed is
        written if the job is gone.

        Raises:
            PreconditionFailed: it has another version than `expected`; nothing was changed.
        """
        ...
