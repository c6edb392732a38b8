"""Node rows: registering, ending, and who watches whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import msgspec

from ferryman.store.commanding import condition_of, wish_of
from ferryman.store.postgres.claiming import not_live
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.protocol import NODES_SHOWN, NodeInfo, NodeStatus
from ferryman.store.records import declared_text

_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_names: Final = msgspec.json.Decoder(frozenset[str])


class LiveNode(NamedTuple):
    """A node that has not ended, and how often it has beaten."""

    number: int
    id: str
    beats: int


class Watch:
    """Remembers when it last saw each node's beats grow, on this process's own monotonic clock: no wall clock, and no
    jump of the server's, buries anybody."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: dict[int, tuple[int, float]] = {}
        self._lease = 0.0

    def silent(self, nodes: Iterable[LiveNode], lease: float) -> list[LiveNode]:
        """Those without a new beat for `lease` seconds of watching."""
        now = self._monotonic()
        seen, self._seen, self._lease = self._seen, {}, lease
        found: list[LiveNode] = []
        for node in nodes:
            beats, since = seen.get(node.number, (-1, now))
            if node.beats != beats:
                since = now
            self._seen[node.number] = node.beats, since
            if now - since >= lease:
                found.append(node)
        return found

    def overdue(self, node: int) -> bool:
        """Whether a node was silent for a lease already when it was last looked at; this look counts for nothing."""
        beats_since = self._seen.get(node)
        return beats_since is not None and self._lease > 0 and self._monotonic() - beats_since[1] >= self._lease


def register(node: NodeInfo, now: int) -> Steps[int]:
    """Make a node live; saying it twice changes nothing. To be driven in a transaction.

    Raises:
        NodeNotLive: it was, and has ended.
    """
    queues = None if node.queues is None else _encode(node.queues).decode()
    types = _encode(node.types).decode()
    added = yield Ask("add_node", (node.id, node.host, node.pid, node.version, queues, node.workers, now, types))
    if not added:
        ((number, live),) = yield Ask("node_number", (node.id,))
        if not live:
            raise not_live(number)
        known: int = number
        return known
    names = sorted(node.types)
    if names:
        declared = [declared_text(node.declared.get(name)) for name in names]
        yield Ask("add_types", (names, [now] * len(names), declared))
    new: int = added[0][0]
    return new


def live_nodes() -> Steps[list[LiveNode]]:
    """The nodes that have not ended."""
    return [LiveNode._make(row) for row in (yield Ask("live_nodes"))]


def orphans() -> Steps[list[int]]:
    """Nodes that have ended and still have claim rows, which a rescue that was cut off would leave."""
    return [row[0] for row in (yield Ask("orphans"))]


def end(node: int, beats: int, now: int) -> Steps[bool]:
    """End a dead node, unless it has beaten in the meantime. To be driven in a transaction."""
    rows = yield Ask("lock_node", (node,))
    if not rows or rows[0][0] != beats:
        return False
    yield Ask("end_node", (node, now))
    return True


def retire(node: int, now: int) -> Steps[None]:
    """End a node by its own wish; no claim of it can come after that. To be driven in a transaction."""
    yield Ask("lock_node", (node,))
    yield Ask("end_node", (node, now))


def seen(now: int, gone: Callable[[int, str], bool]) -> Steps[list[NodeStatus]]:
    """The nodes to tell of. `gone` says of a number and an id whether that node's process is known to have ended."""
    rows = yield Ask("nodes", (now - NODES_SHOWN,))
    return [
        NodeStatus(
            id=id,
            host=host,
            pid=pid,
            version=version,
            queues=None if queues is None else _names.decode(queues),
            workers=workers,
            started_at=started,
            ended_at=ended,
            live=ended is None and not gone(number, id),
            claimed=claimed,
            types=None if types is None else _names.decode(types),
            wish=wish_of(wish),
            condition=None if said is None or ended is not None else condition_of(said),
        )
        for number, id, host, pid, version, queues, workers, started, ended, claimed, types, wish, said in rows
    ]
