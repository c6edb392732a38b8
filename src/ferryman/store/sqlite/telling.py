"""The verb that tells what has happened to jobs."""

from __future__ import annotations

from ferryman.store.journaling import PAGE, Position, Told
from ferryman.store.sqlite import journaling
from ferryman.store.sqlite.bulk import BulkOperations


class Telling(BulkOperations):
    """Implements `Journaling`."""

    async def journal(self, after: Position | None, now: int, limit: int = PAGE) -> Told:
        """See `Journaling.journal`. Who is known to listen only reads."""
        told = await self._read(lambda session: journaling.read(session, after, now, limit))
        while told is None:
            await self._write(lambda session: journaling.attend(session, now))
            told = await self._read(lambda session: journaling.read(session, after, now, limit))
        return told
