"""What runs say of themselves, for those who ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from ferryman.domain.job import Job
from ferryman.domain.report import LogLine, Logs, ProgressOf
from ferryman.store.protocol import Store

PAGE: Final = 1000


class Reports:
    """Reads the progress and the log lines of one job. Secrets were taken out before they were stored."""

    def __init__(self, store: Store, get: Callable[[str], Awaitable[Job]]) -> None:
        """`get` gives a job, or raises JobNotFound."""
        self._store = store
        self._get = get

    async def progress(self, id: str) -> ProgressOf | None:
        """What the latest run that said how far it is said last. Raises JobNotFound."""
        await self._get(id)
        return await self._store.progress(id)

    async def logs(
        self, id: str, claim: int | None = None, after: tuple[int, int] | None = None, limit: int = PAGE
    ) -> Logs:
        """A page of the lines of a job's runs, or of one of them, in order; see `Reporting.logs`.

        Raises JobNotFound.
        """
        await self._get(id)
        return await self._store.logs(id, claim, after, limit)

    async def all_logs(self, id: str, claim: int | None = None) -> Logs:
        """Every line. Raises JobNotFound."""
        found: list[LogLine] = []
        while True:
            page = await self.logs(id, claim, (found[-1].number, found[-1].place) if found else None)
            found += page.lines
            if len(page.lines) < PAGE:
                return Logs(found, page.dropped)
