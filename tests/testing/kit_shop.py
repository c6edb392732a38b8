"""An app to test the testing kit with."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ferryman import Ferryman

START = datetime(2030, 1, 1, tzinfo=UTC)


class Shop:
    """An app whose settings name a database that must never be made, and what its handlers did."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "jobs.db"
        self.app = Ferryman(f"sqlite:///{self.database}", max_pending=1000)
        self.did: list[Any] = []
        self.add = self.app.job(add)

        @self.app.job
        async def note(what: str, seconds: float = 0) -> str:
            await asyncio.sleep(seconds)
            self.did.append(what)
            return what.upper()

        @self.app.job(max_attempts=3, retry=[10, 60])
        def fail(times: int = 100) -> str:
            self.did.append("tried")
            if self.did.count("tried") <= times:
                raise LookupError("not there")
            return "there"

        self.note, self.fail = note, fail


def add(a: int, b: int = 2) -> int:
    return a + b
