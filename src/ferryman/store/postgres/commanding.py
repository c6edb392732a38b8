"""What operators tell the nodes of a database, and what these say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ferryman.domain.audit import Deed
from ferryman.domain.nodes import Condition, NodeWish, Wished
from ferryman.store.commanding import HeldJob, encode_condition, wish_of
from ferryman.store.describing import Described, migration_name
from ferryman.store.postgres.auditing import note
from ferryman.store.postgres.journaling import Journal
from ferryman.store.postgres.statements import FOLDER
from ferryman.store.postgres.steps import Ask, Steps, ask
from ferryman.store.postgres.target import Target


class Commanding(Journal):
    """Implements `store.commanding`, and says what the store is."""

    target: Target

    async def command(self, id: str, wish: NodeWish, now: int, *, deed: Deed | None = None) -> bool:
        """See `Commanding.command`."""
        return await self._people.transact(_command(id, wish, now, deed))

    async def check_in(self, node: int, condition: Condition) -> Wished | None:
        """See `Commanding.check_in`."""
        rows = await self._chores.do(ask("check_in", node, encode_condition(condition).decode()))
        return next((Wished(wish, at) for text, at in rows if (wish := wish_of(text)) is not None), None)

    async def held_by(self, id: str) -> Sequence[HeldJob]:
        """See `Commanding.held_by`."""
        return [HeldJob(*row) for row in await self._people.do(ask("held_by", id))]

    async def describe(self) -> Described:
        """See `Describing.describe`."""
        return await self._people.do(_describe(self.target.place))


def _describe(place: str) -> Steps[Described]:
    ((version, number, size, clock),) = yield Ask("describe")
    rows: Sequence[Any] = yield Ask("pending_types")
    pending: dict[str, int] = dict(rows)
    return Described("postgresql", place, version, migration_name(FOLDER, number), size, pending, clock)


def _command(id: str, wish: NodeWish, now: int, deed: Deed | None) -> Steps[bool]:
    rows = yield Ask("put_wish", (id, wish.value, now))
    yield from note(deed if any(changed for (changed,) in rows) else None)
    return bool(rows)
