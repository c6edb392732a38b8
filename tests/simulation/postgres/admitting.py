"""Letting in at the gates of keys: a transaction of its own, after the one that has brought somebody or made room.

    insert --> before the gate  commit | let in --> commit         the gate's lock: two that let in take turns, so that
    finish --> a slot is free   commit | let in --> commit         each counts what the other one has committed

If the process dies between the two, or the second one fails, a sweeper finds those who were overlooked.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, TypeVar

from ferryman.domain.errors import StoreError
from ferryman.store.protocol import Admitted
from tests.simulation.postgres.connection import Connection
from tests.simulation.postgres.server import Transaction
from tests.simulation.postgres.tables import ModelTables

T = TypeVar("T")
Verb = Callable[[], Coroutine[Any, Any, T]]


class Admitting:
    """The gates, as the verbs of one process come to them."""

    def __init__(self, connection: Connection, tables: ModelTables) -> None:
        self._connection = connection
        self._tables = tables

    async def after(self, verb: str, do: Verb[T], now: int) -> tuple[T, int]:
        """A verb, and then the transaction that lets in. Returns its answer, and how many went."""
        keys: set[str] = set()
        answer = await self._connection.simply(verb, self.noting(do, keys))
        return answer, await self.let_in(keys, now)

    def noting(self, do: Verb[T], keys: set[str]) -> Verb[T]:
        """The same verb; it fills in the keys of the gates that are to be looked at after it."""

        async def done() -> T:
            self._tables.take_touched()  # of a transaction of a caller's own, who lets nobody in
            answer = await do()
            keys.update(self._tables.take_touched())
            return answer

        return done

    def changing(self, do: Verb[T], now: int) -> Verb[T]:
        """A verb about one gate, which is locked for it: it lets in itself."""
        keys: set[str] = set()
        noted = self.noting(do, keys)

        async def done() -> T:
            answer = await noted()
            self._tables.let_in_at(keys, now)
            return answer

        return done

    async def let_in(self, keys: Iterable[str], now: int) -> int:
        """What fails is made up for by `admit`. Returns how many went."""
        count = 0
        with suppress(StoreError):
            count = await self._let_in(set(keys), now)
        return count

    async def _let_in(self, keys: set[str], now: int) -> int:
        """Whoever waits for the lock of a gate counts anew, so all of it is done as this commits."""
        if not keys:
            return 0

        def begun(_transaction: Transaction) -> Callable[[], int]:
            return lambda: self._tables.let_in_at(keys, now)

        return await self._connection.write("let_in", begun)

    async def admit(self, now: int) -> Admitted:
        """Look at the gates for which a token is there by now, and at those that seem to have overlooked somebody."""

        async def found() -> set[str]:
            return self._tables.overlooked(now)

        count = await self._let_in(await self._connection.read(found), now)
        return Admitted(count, self._tables.gates.next_due())
