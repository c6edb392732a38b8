"""Operations over a filter, said to a server: start one, look how far it is, stop it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ferryman.client.finding import Counted
from ferryman.domain.bulk import BulkStatus
from ferryman.domain.errors import WrongState
from ferryman.http.bulk_wire import DryRunJson, OperationJson
from ferryman.http.remote.asking import Ask, Reply, body_of
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.controls import Placement
from ferryman.http.remote.paths import asked, path_of
from ferryman.http.remote.problems import error_of
from ferryman.http.remote.reading import read
from ferryman.http.wire import write_moment


class Operations:
    """As `client.operations`; an operation is told of as the server writes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def start(
        self, action: str, filter: str, *, change: Placement | None = None, rate: float | str | None = None
    ) -> OperationJson:
        """Begin to do something to every job that fits now. An answer that was lost is not asked for again.

        Args:
            action: "retry", "cancel", "delete" or "change".
            filter: which jobs, as docs/filters.md has it.
            change: for "change": what `controls.placement` gives.
            rate: for "retry": so many a second, or a text such as "5/m", become pending.

        Raises:
            WrongContent: naming what is wrong.
        """
        said = {"action": action, "filter": filter, "change": None if change is None else _said(change), "rate": rate}
        reply = await self._connection.say(Ask("POST", "/operations", body_of(said), repeatable=False))
        return read(reply, OperationJson, _as_it_is)

    async def count(self, action: str, filter: str, *, change: Placement | None = None) -> Counted:
        """How many jobs an operation would change now. Raises as `start`."""
        wish = None if change is None else _said(change)
        said = {"action": action, "filter": filter, "change": wish, "dry_run": True}
        reply = await self._connection.say(Ask("POST", "/operations", body_of(said)))
        return read(reply, DryRunJson, lambda found: Counted(found.count, found.complete))

    async def get(self, id: str) -> OperationJson:
        """One operation, as far as it is. Raises OperationNotFound."""
        return read(await self._connection.say(Ask("GET", path_of("operations", id))), OperationJson, _as_it_is)

    async def list(self, after: str | None = None, limit: int = 1000) -> Sequence[OperationJson]:
        """A page of operations, the newest first, from after that of an id on."""
        reply = await self._connection.say(Ask("GET", asked("/operations", [("cursor", after), ("limit", limit)])))
        return read(reply, tuple[OperationJson, ...], lambda found: found)

    async def cancel(self, id: str) -> OperationJson:
        """Stop an operation; once this returns it changes nothing more.

        Raises:
            OperationNotFound: there is none.
            WrongState: it has ended.
        """
        reply: Reply = await self._connection.tell(Ask("POST", path_of("operations", id, "cancel")))
        if reply.status == 200:
            return read(reply, OperationJson, _as_it_is)
        error = error_of(reply)
        if reply.unsure and isinstance(error, WrongState):
            found = await self.get(id)
            if found.status is BulkStatus.CANCELLED:  # by the try whose answer was lost
                return found
        raise error


def _said(change: Placement) -> dict[str, object]:
    said = msgspec.structs.asdict(change)
    return {**said, "run_at": None if change.run_at is None else write_moment(change.run_at)}


def _as_it_is(found: OperationJson) -> OperationJson:
    return found
