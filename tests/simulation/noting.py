"""The SQLite store, saying inside of its transactions that a write takes effect."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from ferryman.store.protocol import Rescued
from ferryman.store.sqlite import SqliteStore
from ferryman.store.sqlite.session import Session

T = TypeVar("T")
Took = Callable[[Any], None]
TOOK: Final[ContextVar[Took | None]] = ContextVar("took", default=None)
"""What to note once the write of the present call takes effect."""


class NotingSqliteStore(SqliteStore):
    """The production store; says inside the transaction that a write takes effect."""

    async def _write(self, request: Callable[[Session], T]) -> T:
        took = TOOK.get()
        if took is None:
            return await super()._write(request)

        def noted(session: Session) -> T:
            answer = request(session)
            took(answer)
            return answer

        return await super()._write(noted)

    async def _bury(self, number: int, id: str, now: int, lease: float) -> Rescued | None:
        outer = TOOK.get()

        def took(count: int | None) -> None:
            if outer is not None and count is not None:
                outer([Rescued(id, count)])

        token = TOOK.set(took)
        try:
            return await super()._bury(number, id, now, lease)
        finally:
            TOOK.reset(token)
