"""Which nodes live: own ones beat and hold their lock files, others are watched, and the dead are rescued from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ferryman.domain.errors import NodeNotLive
from ferryman.domain.outcome import What
from ferryman.store.postgres import nodes
from ferryman.store.postgres.beats import Beats
from ferryman.store.postgres.ending import end_open_runs
from ferryman.store.postgres.gating import Gates
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.lines import Lines
from ferryman.store.postgres.locks import NodeLocks
from ferryman.store.postgres.reading import known_types
from ferryman.store.postgres.steps import ask
from ferryman.store.protocol import NodeInfo, NodeStatus, Rescued


class Liveness:
    """The nodes of one database, as one process sees them; some are its own."""

    def __init__(self, lines: Lines, lanes: Lanes, gates: Gates, locks: Path, monotonic: Callable[[], float]) -> None:
        """`locks` is the folder of the lock files."""
        self._chores = lines.chores
        self._people = lines.people
        self._lanes = lanes
        self._gates = gates
        self._beats = Beats(lines.beats)
        self._locks = NodeLocks(locks)
        self._watch = nodes.Watch(monotonic)
        self._own: dict[int, str] = {}

    async def close(self) -> None:
        """Beat no more, and let go of the lock files. Idempotent."""
        await self._beats.close()
        self._locks.close()

    def abandon(self) -> None:
        """Forget the own nodes' thread and locks: they are those of the process that forked this one."""
        self._beats.abandon()
        self._locks.close()

    async def register(self, node: NodeInfo, now: int) -> int:
        """See `Store.register`. The lock is held before the row can be seen."""
        self._locks.enter(node.id)
        try:
            number = await self._people.transact(nodes.register(node, now))
        except NodeNotLive:
            self._locks.leave(node.id)
            raise
        self._own[number] = node.id
        return number

    def beat(self, node: int) -> bool:
        """See `Store.beat`."""
        return self._beats.beat(node)

    async def retire(self, node: int, now: int) -> None:
        """See `Store.retire`."""
        await self._people.transact(nodes.retire(node, now))
        id = self._own.pop(node, None)
        if id is not None:
            self._locks.leave(id)

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        """See `Store.rescue`. A node ends first, which stops its claims; then they are given back."""
        live = await self._chores.do(nodes.live_nodes())
        silent = set(self._watch.silent(live, lease))
        rescued: list[Rescued] = []
        for node in live:
            if (node in silent or self._gone(node.id)) and await self._chores.transact(
                nodes.end(node.number, node.beats, now)
            ):
                self._locks.bury(node.id)
                rescued.append(Rescued(node.id, await self._give_back(node.number, now)))
        for number in await self._chores.do(nodes.orphans()):
            count = await self._give_back(number, now)
            await self._chores.do(ask("close_batches", number, None))
            if count:
                rescued.append(Rescued("", count))
        return rescued

    async def _give_back(self, node: int, now: int) -> int:
        """Give a dead node's claims back. Returns how many jobs."""
        declared = await self._chores.do(known_types())
        return await end_open_runs(self._chores, self._lanes, self._gates, What.LOST, now, node=node, declared=declared)

    async def nodes(self, now: int) -> Sequence[NodeStatus]:
        """See `Store.nodes`."""
        return await self._people.do(nodes.seen(now, lambda number, id: self._gone(id) or self._watch.overdue(number)))

    def _gone(self, id: str) -> bool:
        return id not in self._own.values() and self._locks.gone(id)
