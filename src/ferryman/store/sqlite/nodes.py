"""Node rows: registering, ending, and giving back the claims of the dead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from ferryman.domain.nodes import Condition
from ferryman.domain.outcome import What
from ferryman.store.commanding import wish_of
from ferryman.store.protocol import NODES_SHOWN, Declaration, NodeInfo, NodeStatus
from ferryman.store.records import declared_text
from ferryman.store.sqlite.claiming import require_live
from ferryman.store.sqlite.finishing import end_open_runs
from ferryman.store.sqlite.session import Session, encode

live_nodes: Final = msgspec.json.Decoder(list[tuple[int, str]])
_numbers: Final = msgspec.json.Decoder(list[int])
_types: Final = msgspec.json.Decoder(dict[str, Declaration | None])


class NodeRow(msgspec.Struct, array_like=True, frozen=True):
    """A row of `nodes.sql`."""

    id: str
    host: str
    pid: int
    version: str
    queues: frozenset[str] | None
    workers: int
    started_at: int
    ended_at: int | None
    claimed: int
    types: frozenset[str] | None
    wish: str | None
    """Maybe one that only newer versions know."""


_nodes: Final = msgspec.json.Decoder(list[NodeRow])


def register(session: Session, node: NodeInfo, now: int) -> int:
    """Make a node live; saying it twice changes nothing. Raises NodeNotLive: it was, and has ended."""
    known = session.one("node_number", id=node.id)
    if known is not None:
        require_live(session, known[0])
    else:
        session.run(
            "add_node",
            id=node.id,
            host=node.host,
            pid=node.pid,
            version=node.version,
            queues=None if node.queues is None else encode(sorted(node.queues)).decode(),
            workers=node.workers,
            started_at=now,
            types=encode(sorted(node.types)).decode(),
        )
        known = session.one("node_number", id=node.id)
        session.insert(
            "add_types", [(name, now, declared_text(node.declared.get(name))) for name in sorted(node.types)]
        )
    assert known is not None
    number: int = known[0]
    return number


def known_types(session: Session) -> Mapping[str, Declaration]:
    """What each type declares; nodes that knew of no declarations have left Ferryman's defaults."""
    return {name: declared or Declaration() for name, declared in session.document("types", _types).items()}


def bury(session: Session, node: int, now: int) -> int:
    """End a dead node and give its claims back. Returns how many jobs."""
    session.run("end_node", node=node, now=now)
    return end_open_runs(session, What.LOST, now, node=node, declared=known_types(session))


def orphaned(session: Session) -> list[int]:
    """Ended nodes that still have claim rows, which a cut-off rescue would leave."""
    return session.document("orphans", _numbers)


def seen(session: Session, now: int) -> list[NodeRow]:
    """The nodes to tell of, as their rows have them."""
    return session.document("nodes", _nodes, since=now - NODES_SHOWN)


def status_of(row: NodeRow, *, gone: bool, condition: Condition | None) -> NodeStatus:
    """A node as others see it; `gone` says whether its process is, and `condition` what it said last."""
    return NodeStatus(
        id=row.id,
        host=row.host,
        pid=row.pid,
        version=row.version,
        queues=row.queues,
        workers=row.workers,
        started_at=row.started_at,
        ended_at=row.ended_at,
        live=row.ended_at is None and not gone,
        claimed=row.claimed,
        types=row.types,
        wish=wish_of(row.wish),
        condition=condition if row.ended_at is None else None,
    )
