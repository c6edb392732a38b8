"""Drives the steps of a verb over a connection."""

from __future__ import annotations

from typing import Any, TypeVar

import asyncpg

from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.steps import AlreadyThere, Steps

T = TypeVar("T")


async def drive(connection: Any, statements: Statements, steps: Steps[T], seconds: float | None = None) -> T:
    """Run a verb over an asyncpg connection; `seconds` bounds each of its statements."""
    try:
        asked = next(steps)
        while True:
            try:
                rows = await connection.fetch(statements[asked.statement], *asked.parameters, timeout=seconds)
            except asyncpg.UniqueViolationError as error:
                asked = steps.throw(AlreadyThere(str(error)))
            else:
                asked = steps.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result
