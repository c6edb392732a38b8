"""The verbs by which runs say how far they are and what they log, and by which others read it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from ferryman.domain.report import Logs, ProgressOf, Report

Runs = frozenset[tuple[str, int]]
"""(id, claim number) of each."""


class Reporting(Protocol):
    """A part of `Store`."""

    async def report(self, node: int, reports: Sequence[Report]) -> Runs:
        """Write what runs of a node say, each of them once, fenced as a finish is. Returns those that were fenced.

        A run may report while it is open; and after its end, if its outcome bears the token of the report. A newer
        progress takes the place of the one before. A line whose place is taken is there already and stays.
        """
        ...

    async def progress(self, id: str) -> ProgressOf | None:
        """What the latest run that said anything said last; None where none has."""
        ...

    async def logs(
        self, id: str, claim: int | None = None, after: tuple[int, int] | None = None, limit: int = 1000
    ) -> Logs:
        """Lines of a job's runs, or of one of them, in the order in which they were logged.

        Args:
            claim: the claim number of a run; None is all of them.
            after: (claim number, place) of the line after which to begin.
            limit: how many lines at most.
        """
        ...


def kept(
    reports: Iterable[Report], live: Collection[int], tokens: Mapping[tuple[str, int], int]
) -> tuple[list[Report], Runs]:
    """(those that may be written, the runs of the others).

    Args:
        live: the batches that the node holds.
        tokens: run -> the token of its outcome, for those that have ended.
    """
    own: list[Report] = []
    fenced: set[tuple[str, int]] = set()
    for each in reports:
        run = (each.id, each.number)
        ended = tokens.get(run)
        if each.batch in live if ended is None else each.token == ended != 0:
            own.append(each)
        else:
            fenced.add(run)
    return own, frozenset(fenced)
