"""GET /nodes and GET /nodes/{id}: the processes that run jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.client import Client
from ferryman.client.nodes import named
from ferryman.domain.access import Right
from ferryman.http import query
from ferryman.http.exchange import Answer, Request
from ferryman.http.operation import Operation
from ferryman.http.wire import Moment, write_moment
from ferryman.store.protocol import NodeStatus

_JSON: Final = ((b"content-type", b"application/json"),)


class NodeJson(msgspec.Struct, frozen=True):
    """A node on the wire, every field always present."""

    id: str
    host: str
    pid: int
    version: str
    workers: int
    queues: list[str] | None
    """Those that it serves; None is every queue."""
    types: list[str] | None
    """Those that it has handlers for; None where its version does not say."""
    started_at: Moment
    ended_at: Moment | None
    live: bool
    claimed: int


class NodePaths:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def operations(self) -> tuple[Operation, ...]:
        """Everything that can be done below /nodes."""
        return (
            Operation("GET", "/nodes", Right.READ, self.list, "List the nodes", {200: list[NodeJson]}),
            Operation("GET", "/nodes/{id}", Right.READ, self.show, "Show a node", {200: NodeJson}, problems=(404,)),
        )

    async def list(self, request: Request) -> Answer:
        """GET /nodes: those that have not ended, and those that ended within the last hour, oldest first."""
        query.parameters(request)
        return Answer(200, _JSON, nodes_json(await self._client.nodes()))

    async def show(self, request: Request) -> Answer:
        """GET /nodes/{id}."""
        query.parameters(request)
        id: str = request.scope["path_params"]["id"]
        [node] = named(await self._client.nodes(), [id])
        return Answer(200, _JSON, msgspec.json.encode(node_of(node)))


def node_of(node: NodeStatus) -> NodeJson:
    """A node as it goes out."""
    return NodeJson(
        node.id,
        node.host,
        node.pid,
        node.version,
        node.workers,
        None if node.queues is None else sorted(node.queues),
        None if node.types is None else sorted(node.types),
        write_moment(node.started_at),
        None if node.ended_at is None else write_moment(node.ended_at),
        node.live,
        node.claimed,
    )


def nodes_json(nodes: Sequence[NodeStatus]) -> bytes:
    """Nodes as a JSON array."""
    return msgspec.json.encode([node_of(each) for each in nodes])
