"""What runs say of themselves, as a server tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from ferryman.client.reports import PAGE
from ferryman.domain.report import Line, LogLine, Logs, Progress, ProgressOf
from ferryman.http.remote.asking import Ask, Reply
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.paths import asked, of_job
from ferryman.http.remote.reading import certain, read
from ferryman.http.reports import DROPPED, LogLineJson, ProgressJson

_DROPPED: Final = DROPPED.decode()
Place = tuple[int, int]
"""The claim number of a run, and the place of a line among those of the run."""


class Reports:
    """As `client.reports`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def progress(self, id: str) -> ProgressOf | None:
        """What the latest run that said how far it is said last. Raises JobNotFound."""
        return read(await self._connection.say(Ask("GET", of_job(id, "progress"))), ProgressJson, _progress)

    async def logs(self, id: str, claim: int | None = None, after: Place | None = None, limit: int = PAGE) -> Logs:
        """A page of the lines of a job's runs, or of one of them, in order, from after one of them on.

        Raises:
            JobNotFound: there is no such job.
        """
        cursor = None if after is None else f"{after[0]}-{after[1]}"
        path = asked(of_job(id, "logs"), [("claim", claim), ("cursor", cursor), ("limit", limit)])
        reply = await self._connection.say(Ask("GET", path))
        lines = read(reply, tuple[LogLineJson, ...], lambda found: _lines(found, after))
        return Logs(lines, _dropped(reply))

    async def all_logs(self, id: str, claim: int | None = None) -> Logs:
        """Every line. Raises JobNotFound."""
        found: list[LogLine] = []
        while True:
            page = await self.logs(id, claim, (found[-1].number, found[-1].place) if found else None)
            found += page.lines
            if len(page.lines) < PAGE:
                return Logs(found, page.dropped)


def _progress(found: ProgressJson) -> ProgressOf | None:
    if found.claim is None or found.done is None or found.at is None:
        return None
    return ProgressOf(found.claim, Progress(found.done, found.total, found.message or "", certain(found.at)))


def _lines(found: Sequence[LogLineJson], after: Place | None) -> Sequence[LogLine]:
    """The lines with their places: of each run the first ones are kept, so that there is no gap."""
    seen: Counter[int] = Counter() if after is None else Counter({after[0]: after[1] + 1})
    lines: list[LogLine] = []
    for each in found:
        line = Line(certain(each.at), each.level, each.logger, each.message)
        lines.append(LogLine(each.claim, each.attempt, seen[each.claim], line))
        seen[each.claim] += 1
    return tuple(lines)


def _dropped(reply: Reply) -> int:
    said = reply.headers.get(_DROPPED, "")
    return int(said) if said.isascii() and said.isdigit() else 0
