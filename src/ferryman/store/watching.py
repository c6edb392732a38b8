"""The verb by which a store says how many jobs stand, in so few words that it can be asked several times a second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol
from zlib import crc32

import msgspec

from ferryman.domain.errors import PreconditionFailed
from ferryman.domain.job import Job
from ferryman.domain.state import Status

VERSIONS: Final = 500
"""Jobs that one statement tells of."""


class Version(msgspec.Struct, frozen=True, gc=False):
    """What of a job changes; two readings of it with the same version are the same.

    The attempt goes without saying: it changes with the claim number or the status.
    """

    status: Status
    claim: int
    queue: str
    priority: int
    run_at: int | None

    @property
    def tag(self) -> str:
        """The version as a short text without spaces and quotes: it begins with the claim number and the status."""
        place = f"{self.priority} {self.run_at} {self.queue}"
        return f"{self.claim}-{self.status.value}-{crc32(place.encode()):08x}"


def version_of(job: Job) -> Version:
    """The version of a job that was read."""
    return Version(job.status, job.claim, job.queue, job.priority, job.run_at)


def check_version(id: str, expected: Version | None, found: Version | None) -> None:
    """Refuse to change a job that is not as somebody expects it; None expects nothing. Raises PreconditionFailed."""
    if expected is not None and found != expected:
        raise has_changed(id, found)


def has_changed(id: str, found: Version | None) -> PreconditionFailed:
    """The error for a job that is not as somebody expects it."""
    now = "gone" if found is None else f"{found.status} in queue {found.queue} with claim number {found.claim}"
    return PreconditionFailed(
        f"Job {id} has changed since it was read.",
        why=f"It is {now} now.",
        hint="Read it again, and decide anew.",
    )


class Watching(Protocol):
    """A part of `Store`."""

    async def versions(self, ids: Sequence[str], now: int) -> Mapping[str, Version]:
        """The version of each job, by id; without those that are not there or whose retention has passed.

        Looks by primary keys alone, at `VERSIONS` jobs a statement; the whole need not be of one moment.
        """
        ...


def portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids, as many at once as one statement takes."""
    for start in range(0, len(ids), VERSIONS):
        yield ids[start : start + VERSIONS]
