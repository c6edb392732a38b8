"""The handler that chancy imports by its name; the starts of the worker that runs it come with the context."""

from __future__ import annotations

from contextvars import ContextVar

from benchmarks.postgres.starts import Starts

STARTS: ContextVar[Starts] = ContextVar("starts")


async def noop(text: str) -> None:  # noqa: ARG001 - the same payload
    """Note the start."""
    STARTS.get().note()
