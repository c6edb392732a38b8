"""Our tables in a database, for those who have no event loop at hand."""

from __future__ import annotations

import asyncio
import importlib


def migrate(url: str) -> None:
    """Bring a database up to this version."""
    # imported when it is needed: what pytest loads first would be loaded before its coverage is measured
    schema = importlib.import_module("ferryman.store.postgres.schema")
    target = importlib.import_module("ferryman.store.postgres.target")
    asyncio.run(schema.Schema(target.Target.of(url)).migrate())
