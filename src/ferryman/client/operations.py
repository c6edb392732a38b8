"""What a person may say about operations: start one over a filter, look how far it is, stop it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from ferryman.client.deeds import Deeds
from ferryman.client.finding import Counted, Finding
from ferryman.client.meant import members
from ferryman.domain import filters, options
from ferryman.domain.audit import Action
from ferryman.domain.bulk import BulkAction, BulkStatus, meant
from ferryman.domain.errors import BadOption, OperationNotFound, WrongState
from ferryman.domain.filters import JobFilter
from ferryman.domain.ids import IdMinter
from ferryman.store.bulk import BulkOperation, Wish
from ferryman.store.controlling import Placement
from ferryman.store.protocol import Clock, Store


class Operations:
    """The verbs; a part of a client. Every error is one of `ferryman.errors`.

    Nodes carry operations out (`engine.operating`): while none runs on the store, they wait.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: IdMinter,
        deeds: Deeds,
        finding: Finding,
        placement: Callable[..., Placement],
    ) -> None:
        """`placement` is `Controls.placement`."""
        self._store = store
        self._clock = clock
        self._ids = ids
        self._deeds = deeds
        self._finding = finding
        self._placement = placement

    async def start(
        self,
        action: str,
        filter: str,
        *,
        queue: str | None = None,
        priority: int | None = None,
        run_at: int | None = None,
        delay: float | None = None,
        rate: float | str | None = None,
        within: Collection[str] | None = None,
        by: str | None = None,
    ) -> BulkOperation:
        """Begin to do something to every job that fits now. Gives the operation, which nodes carry out.

        Args:
            action: "retry", "cancel", "delete" or "change", which mean what they mean for one job.
            filter: which jobs, such as "status:failed type:mail.*" (docs/filters.md). Where it names no status, a
                retry means failed jobs, and any other action all those to which it can be done.
            queue, priority, run_at, delay: for "change": as for `Controls.placement`.
            rate: for "retry": so many a second, or a text such as "5/m", become pending.
            within: only jobs in these queues.
            by: who does it.

        Raises:
            BadFilter: the filter cannot be read.
            BadOption: it means nothing, or jobs in a status to which this cannot be done; or another option is wrong.
        """
        now = self._clock.now()
        kind, found = _meant(action, filter, within, now)
        asked = {"queue": queue, "priority": priority, "run_at": run_at, "delay": delay}
        wish = Wish(
            action=kind,
            filter=filter,
            queues=None if within is None else tuple(sorted(within)),
            placement=self._change(kind, asked),
            rate=_rate(kind, rate),
            by=self._deeds.actor(by),
            created_at=now,
        )
        operation = BulkOperation(id=self._ids.mint(now), wish=wish)
        await self._deeds.do(
            lambda deed: self._store.add_operation(operation, deed=deed),
            Action.OPERATION_START,
            operation.id,
            by,
            does=kind.value,
            filter=members(found),
            change=change_of(wish.placement),
            rate=wish.rate,
        )
        return operation

    async def count(self, action: str, filter: str, *, within: Collection[str] | None = None) -> Counted:
        """How many jobs an operation would change now. Raises as `start`."""
        now = self._clock.now()
        _, found = _meant(action, filter, within, now)
        return await self._finding.count(found, now)

    async def get(self, id: str) -> BulkOperation:
        """One operation, as far as it is. Raises OperationNotFound."""
        found = await self._store.operation(id) if options.is_id(id) else None
        if found is None:
            raise _not_found(id)
        return found

    async def list(self, after: str | None = None, limit: int = 1000) -> Sequence[BulkOperation]:
        """A page of operations, the newest first, from after that of an id on."""
        return await self._store.operations(after, limit)

    async def cancel(self, id: str, *, by: str | None = None) -> BulkOperation:
        """Stop an operation. What it has changed stays changed; once this returns it changes nothing more.

        Raises:
            OperationNotFound: there is none.
            WrongState: it has ended.
        """
        if not options.is_id(id):
            raise _not_found(id)
        before = await self._deeds.do(
            lambda deed: self._store.cancel_operation(id, deed.at, deed=deed), Action.OPERATION_CANCEL, id, by
        )
        if before is None:
            raise _not_found(id)
        if before is not BulkStatus.RUNNING:
            raise WrongState(f"The operation {id} is {before} already.", why="Only one that runs can be cancelled.")
        return await self.get(id)

    def _change(self, kind: BulkAction, asked: Mapping[str, object]) -> Placement | None:
        """What is to be changed, of a change; every other action has nothing of the kind. Raises BadOption."""
        if kind is BulkAction.CHANGE:
            return self._placement(**asked)
        for option, value in asked.items():
            if value is not None:
                raise options.refused(option, value, f"nothing: this is for a change, not for a {kind}")
        return None


def change_of(placement: Placement | None) -> dict[str, Any] | None:
    """What is to be changed, as people are told; what stays as it is is None."""
    if placement is None:
        return None
    run_at = None if placement.run_at is None else options.moment_text(placement.run_at)
    return {"queue": placement.queue, "priority": placement.priority, "run_at": run_at}


def _meant(action: str, filter: str, within: Collection[str] | None, now: int) -> tuple[BulkAction, JobFilter]:
    """An action, and the jobs that are meant. Raises BadFilter, BadOption."""
    kind = options.one_of("action", action, kind=BulkAction)
    found = filters.parse(filter, now)
    if found == JobFilter():
        why = "It says which jobs are meant."
        raise BadOption("The filter is empty.", why=why, hint="Say type:* where all of them are.")
    found = meant(kind, found)
    return kind, found if within is None else replace(found, queues=frozenset(within))


def _rate(kind: BulkAction, rate: float | str | None) -> float | None:
    if rate is not None and kind is not BulkAction.RETRY:
        raise options.refused("rate", rate, f"nothing: only a retry has one, not a {kind}")
    return None if rate is None else options.rate(rate)


def _not_found(id: str) -> OperationNotFound:
    return OperationNotFound(
        f"There is no operation {id[:64]!a}.",
        why="One that has ended is told of for seven days.",
        hint="`ferryman operations ls` lists them.",
    )
