"""Our tables in a database, for those who have no event loop at hand."""

from __future__ import annotations

import asyncio

from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.target import Target


def migrate(url: str) -> None:
    """Bring a database up to this version."""
    asyncio.run(Schema(Target.of(url)).migrate())
