"""What operators tell the nodes of a file, and what these say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.nodes import Condition, NodeWish, Wished
from ferryman.store.commanding import HeldJob, wish_of
from ferryman.store.describing import Described, migration_name
from ferryman.store.sqlite.auditing import note
from ferryman.store.sqlite.liveness import Liveness
from ferryman.store.sqlite.session import Session
from ferryman.store.sqlite.statements import FOLDER
from ferryman.store.sqlite.telling import Telling

_counts: Final = msgspec.json.Decoder(dict[str, int])
_held: Final = msgspec.json.Decoder(list[HeldJob])


class Commanding(Telling):
    """Implements `store.commanding`."""

    _liveness: Liveness
    _own: dict[int, str]
    path: Path

    async def command(self, id: str, wish: NodeWish, now: int, *, deed: Deed | None = None) -> bool:
        """See `Commanding.command`."""
        return await self._write(lambda session: _command(session, id, Wished(wish, now), deed))

    async def check_in(self, node: int, condition: Condition) -> Wished | None:
        """See `Commanding.check_in`. Only reads the database; what the node says goes into its file."""
        id = self._own.get(node)
        return None if id is None else await self._read(lambda session: self._check_in(session, id, condition))

    def _check_in(self, session: Session, id: str, condition: Condition) -> Wished | None:
        row = session.one("wish", id=id)
        if row is None:
            return None
        self._liveness.say(id, condition)
        return _wished(row)

    async def held_by(self, id: str) -> Sequence[HeldJob]:
        """See `Commanding.held_by`."""
        return await self._read(lambda session: session.document("held_by", _held, id=id))

    async def describe(self) -> Described:
        """See `Describing.describe`."""
        return await self._read(lambda session: _describe(session, self.path))


def _describe(session: Session, path: Path) -> Described:
    row = session.one("describe")
    assert row is not None
    version, number, size = row
    pending = session.document("pending_types", _counts)
    return Described("sqlite", str(path), version, migration_name(FOLDER, number), size, pending)


def _command(session: Session, id: str, wished: Wished, deed: Deed | None) -> bool:
    row = session.one("wish", id=id)
    if row is None:
        return False
    if _wished(row) != wished:
        session.run("put_wish", id=id, wish=wished.wish.value, now=wished.at)
        note(session, deed)
    return True


def _wished(row: tuple[str | None, int]) -> Wished | None:
    wish = wish_of(row[0])
    return None if wish is None else Wished(wish, row[1])
