"""Handlers' transactions: their own writes, their follow-ups and their completion in one commit.

    BEGIN, mark it -> the handler writes -> is it still the marked one? -> the fenced completion -> COMMIT
                                                                        its reply is lost -> ask what became of it

The claim is looked at last: a lock on its row for as long as the handler takes would hold up all other jobs of its
batch. The row stays locked from there to the commit, so whoever asks for it afterwards knows how that has ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

import asyncpg

from ferryman.domain.errors import CommitUnknown, StoreError, TransactionImpossible
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish
from ferryman.store.postgres import finishing, holds
from ferryman.store.postgres.acts import Acts, aperform, perform_apart
from ferryman.store.postgres.holds import Hold
from ferryman.store.postgres.home import Home, lanes_of
from ferryman.store.postgres.lent import driver_errors, explained
from ferryman.store.postgres.own import CONNECT_SECONDS, NAMED, OwnConnection
from ferryman.store.postgres.spares import Spares
from ferryman.store.postgres.steps import AlreadyThere, Ask, Steps, ask

T = TypeVar("T")

SIZE: Final = 10
"""How many transactions may be open on connections of ours, of each kind of handler; who comes then waits."""
SILENCE_SECONDS: Final = 8.0
SILENCE_SHARE: Final = 0.8
"""For so long, and for so much of a lease, nothing need be said in a transaction before the server ends it."""
FATE_SECONDS: Final = 15.0
"""For so long the store is asked what became of a commit: the server notices a dead line within 8 s."""

_LOST_STATES: Final = ("08", "57P")
"""The states of errors after which the fate of a commit is unknown."""


class PostgresTransactions:
    """Begins transactions on one database; implements `ManyTransactions`."""

    def __init__(self, home: Home, lease: float) -> None:
        """`lease` is how long a silent node may keep its claims, in seconds: its transactions end before."""
        self._home = home
        self._silence = f"{min(SILENCE_SECONDS, SILENCE_SHARE * lease) * 1000:.0f}ms"
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._spares = Spares(home.target.url, SIZE)
        self._committed: set[tuple[str, int, int]] = set()

    async def begin(self, node: int, job: ClaimedJob, using: Any, *, blocking: bool) -> PostgresTransaction:
        """See `ManyTransactions.begin`."""
        perform = perform_apart if blocking else aperform
        mark = f"{node} {job.id} {job.number}"
        hold: Hold = await perform(self._begin(using, mark, blocking=blocking))
        return PostgresTransaction(self, hold, node, mark, perform)

    def unwritten(self, finishes: Sequence[Finish]) -> Sequence[Finish]:
        """Those of the completer's that no transaction has written already; each is known once."""
        if not self._committed:
            return finishes
        rest = [each for each in finishes if _key(each) not in self._committed]
        self._committed.difference_update(map(_key, finishes))
        return rest

    async def close(self) -> None:
        """Let go of every connection. Idempotent."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()  # what is open is undone, and who waits is told
        self._spares.close()

    def abandon(self) -> None:
        """Forget the connections: they are those of the process that forked this one."""
        self._pool = None
        self._spares.abandon()

    # -- one transaction -------------------------------------------------------------------------

    def _begin(self, using: Any, mark: str, *, blocking: bool) -> Acts[Hold]:
        try:
            if using is not None:
                hold = yield from holds.hold(using, blocking=blocking)
            elif blocking:
                hold = yield from holds.psycopg_pool(self._spares, False)
            else:
                hold = yield from holds.asyncpg_pool((yield self._opened), True)
        except driver_errors() as error:
            raise explained(error, self._home.target.place) from error
        try:
            lent = self._home.lend(hold.driver)
            if using is not None:
                yield from self._home.recognise(lent, on_loop=not blocking)
            yield from lent.do(ask("mark", mark, self._silence))
        except BaseException:
            yield from undo(hold)
            raise
        return hold

    async def _opened(self) -> Any:
        """The pool of our own, on the node's loop."""
        if self._pool is None:
            connect: Any = self._home.connect
            self._pool = await asyncpg.create_pool(
                self._home.target.url,
                min_size=0,
                max_size=SIZE,
                timeout=CONNECT_SECONDS,
                connect=connect,
                connection_class=OwnConnection,
                server_settings=NAMED,
            )
        return self._pool

    def finish(self, hold: Hold, node: int, mark: str, finish: Finish, now: int, *, on_loop: bool) -> Acts[bool]:
        """Write the outcome and commit; False if it is fenced. Whatever happens, the transaction has ended then."""
        ended = False
        try:
            finishing.check([finish])
            yield hold.flush
            lent = self._home.lend(hold.driver)
            yield from self._home.know({finish.lane, *lanes_of(finish.follow_ups)}, on_loop=on_loop)
            won = yield from lent.do(self._complete(node, mark, finish, now))
            if won:
                ended = True
                yield from self._commit(hold, node, finish, on_loop=on_loop)
        finally:
            if ended:
                yield from _let_go(hold)
            else:
                yield from undo(hold)
        return won

    def _complete(self, node: int, mark: str, finish: Finish, now: int) -> Steps[bool]:
        (row,) = yield Ask("last")
        if row[0] != mark:
            raise TransactionImpossible(
                "The handler has ended the transaction of its block by itself.",
                why="So its completion cannot commit with what it wrote; that was committed or rolled back before.",
                hint="Leave COMMIT and ROLLBACK to the end of the block, or raise. SAVEPOINT works.",
            )
        try:
            report = yield from finishing.finish_carefully(self._home.lanes, node, [finish], now)
        except AlreadyThere:  # written by another since the transaction took its snapshot
            return False
        return not report.fenced

    def _commit(self, hold: Hold, node: int, finish: Finish, *, on_loop: bool) -> Acts[None]:
        """Commit. What fails may have been done all the same: only the store can tell."""
        try:
            yield hold.commit
        except BaseException as error:
            if _is_refused(error):
                raise
            _cut(hold)  # so that the server does not wait for more
            if not (yield from self._has_committed(node, finish, error, on_loop=on_loop)):
                raise
        self._committed.add(_key(finish))

    def _has_committed(self, node: int, finish: Finish, error: BaseException, *, on_loop: bool) -> Acts[bool]:
        try:
            return (yield from self._home.insist(partial(_fate, node, finish), FATE_SECONDS, on_loop=on_loop))
        except StoreError as unknown:
            raise CommitUnknown(
                "The connection was lost while the transaction committed; the store cannot be asked whether it did.",
                why=f"{error}",
                hint="The store decides: if it did, the job is completed and what this run ends in is not written; "
                "if not, nothing of it was written, and the job runs again.",
            ) from unknown


class PostgresTransaction:
    """Implements `HeldTransaction`."""

    def __init__(
        self,
        owner: PostgresTransactions,
        hold: Hold,
        node: int,
        mark: str,
        perform: Callable[[Acts[Any]], Awaitable[Any]],
    ) -> None:
        self._owner = owner
        self._hold = hold
        self._node = node
        self._mark = mark
        self._perform = perform
        self._ended = False

    @property
    def connection(self) -> Any:
        """See `HeldTransaction.connection`."""
        return self._hold.handed

    async def finish(self, finish: Finish, now: int) -> bool:
        """See `HeldTransaction.finish`."""
        self._ended = True
        on_loop = self._perform is aperform
        won: bool = await self._perform(
            self._owner.finish(self._hold, self._node, self._mark, finish, now, on_loop=on_loop)
        )
        return won

    async def rollback(self) -> None:
        """See `HeldTransaction.rollback`."""
        if not self._ended:
            self._ended = True
            await self._perform(undo(self._hold))

    def break_off(self) -> None:
        """See `HeldTransaction.break_off`."""
        if not self._ended:
            holds.break_off(self._hold.driver)


def undo(hold: Hold) -> Acts[None]:
    """Roll back, and give back what was taken; where that fails, the connection is cut and the server does it."""
    try:
        yield hold.rollback
    except Exception:
        _cut(hold)
    finally:
        yield from _let_go(hold)


def _let_go(hold: Hold) -> Acts[None]:
    with suppress(Exception):  # it was lost, which has been told
        yield hold.let_go


def _cut(hold: Hold) -> None:
    with suppress(Exception):  # it is closed
        holds.break_off(hold.driver)


def _fate(node: int, finish: Finish) -> Steps[bool]:
    """Whether an outcome is there. Its transaction holds the claim row until it has ended, so this waits for that."""
    yield Ask("lock_batches", (node, [finish.batch]))
    rows = yield Ask("known_outcomes", ([finish.id], [finish.number]))
    return any(row[2] == finish.token for row in rows)


def _is_refused(error: BaseException) -> bool:
    """Whether the server has said no to a commit: a constraint that only the commit checks, for one."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state is not None and not state.startswith(_LOST_STATES)


def _key(finish: Finish) -> tuple[str, int, int]:
    return finish.id, finish.number, finish.token
