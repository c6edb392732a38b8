"""P12 between faults: what a rollback gives back may have been passed by, so order is judged where nothing failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ferryman.testing.history import Violation
from ferryman.testing.history.entries import Answered, AnyEntry, Asked, Claimed, Killed, Paused
from tests.chaos.postgres.troubles import Trouble

PROMISE: Final = "P12"


def conclusive(
    violations: Sequence[Violation], entries: Sequence[AnyEntry], troubles: Sequence[Trouble]
) -> Iterator[Violation]:
    """Without violations of the order of a job between whose enqueueing and claim something was made to fail.

    A process or a connection that dies in a transaction gives back what it had claimed; those who had passed it by
    find it within about ten seconds, and may have claimed younger jobs meanwhile.
    """
    hurts = [entry.at for entry in entries if isinstance(entry, Killed | Paused)]
    for violation in violations:
        if violation.promise == PROMISE:
            since, until = _waiting(entries, violation.jobs[0])
            if any(since <= at <= until for at in hurts) or any(each.overlaps(since, until) for each in troubles):
                continue
        yield violation


def _waiting(entries: Sequence[AnyEntry], job: str) -> tuple[float, float]:
    """From when to when a job waited for its first claim."""
    asked = {entry.request: entry.at for entry in reversed(entries) if isinstance(entry, Asked)}
    since = next(
        asked[entry.request]
        for entry in entries
        if isinstance(entry, Answered) and entry.job == job and entry.request in asked
    )
    until = next(
        entry.at for entry in entries if isinstance(entry, Claimed) and any(run.job == job for run in entry.runs)
    )
    return since, until
