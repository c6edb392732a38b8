"""Verbs as generators: each yields the statements it needs, and is sent their rows.

So a verb is written once, whoever drives it: the store's own asyncpg connections, or a connection that somebody
lends, be it asynchronous or not.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeVar

Row = Sequence[Any]
T = TypeVar("T")


class Ask(NamedTuple):
    """One statement, by the name of its file, with its parameters in order."""

    statement: str
    parameters: tuple[Any, ...] = ()


Steps = Generator[Ask, Sequence[Row], T]
"""What a verb is: it yields `Ask`, is sent rows, and returns its answer. A failed statement is thrown into it."""


class AlreadyThere(Exception):
    """A unique constraint refused a statement; thrown into the steps that asked for it."""


def ask(statement: str, *parameters: Any) -> Steps[Sequence[Row]]:
    """Steps that are one statement."""
    return (yield Ask(statement, parameters))
