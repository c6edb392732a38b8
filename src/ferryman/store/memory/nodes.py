"""What is told of nodes, also for a while after their ends."""

from __future__ import annotations

from ferryman.store.memory.rows import NodeRow
from ferryman.store.protocol import NODES_SHOWN, NodeStatus


class Ends:
    """The nodes that ended lately."""

    def __init__(self) -> None:
        self._rows: list[NodeRow] = []

    def add(self, node: NodeRow, now: int) -> None:
        """Remember an end; the first one counts where it is said twice."""
        if node.ended_at is None:
            node.ended_at = now
            self._rows = [*self.lately(now), node]

    def lately(self, now: int) -> list[NodeRow]:
        """Those that `Store.nodes` still tells of."""
        return [each for each in self._rows if each.ended_at is not None and each.ended_at > now - NODES_SHOWN]


def status_of(node: NodeRow, *, gone: bool, claimed: int) -> NodeStatus:
    """A node as others see it; `gone` says whether its process is."""
    info = node.info
    return NodeStatus(
        id=info.id,
        host=info.host,
        pid=info.pid,
        version=info.version,
        queues=info.queues,
        workers=info.workers,
        started_at=node.started_at,
        ended_at=node.ended_at,
        live=node.ended_at is None and not gone,
        claimed=claimed,
        types=info.types,
        wish=node.wished.wish if node.wished else None,
        condition=node.condition if node.ended_at is None else None,
    )
