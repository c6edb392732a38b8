"""The paths below /nodes: the processes that run jobs, and what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ferryman.client import Client
from ferryman.client.commanding import NodeJob
from ferryman.client.nodes import named
from ferryman.domain.access import Right
from ferryman.domain.nodes import NodeWish
from ferryman.http import query
from ferryman.http.actor import actor_of
from ferryman.http.exchange import Answer, Request
from ferryman.http.operation import Operation
from ferryman.http.resource import check_bare
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
    beat_at: Moment | None
    """When it last said how it is, as below; None where it has ended, or its version does not say."""
    rss_bytes: int | None
    quiet: bool | None
    busy: int | None
    wish: NodeWish | None
    """What somebody wanted of it last."""


class NodeJobJson(msgspec.Struct, frozen=True):
    """A job that a node holds, every field always present."""

    id: str
    type: str
    queue: str
    worker_id: str | None
    """Which worker runs it; None where it waits for one, or the node has not said so yet."""
    attempt: int
    claim: int
    started_at: Moment
    """When its run started, or when it was claimed where that is not known."""


class NodePaths:
    """One method per route; each gives the answer or raises a FerrymanError."""

    def __init__(self, client: Client, max_body: int) -> None:
        self._client = client
        self._max_body = max_body

    def operations(self) -> tuple[Operation, ...]:
        """Everything that can be done below /nodes."""
        one, told, wrong = "/nodes/{id}", {202: NodeJson}, (404, 409)
        return (
            Operation("GET", "/nodes", Right.READ, self.list, "List the nodes", {200: list[NodeJson]}),
            Operation("GET", one, Right.READ, self.show, "Show a node", {200: NodeJson}, problems=(404,)),
            Operation(
                "GET",
                f"{one}/jobs",
                Right.READ,
                self.jobs,
                "List what a node holds",
                {200: list[NodeJobJson]},
                problems=(404,),
            ),
            Operation("POST", f"{one}/quiet", Right.OPERATE, self.quiet, "Quiet a node", told, problems=wrong),
            Operation("POST", f"{one}/resume", Right.OPERATE, self.resume, "Resume a node", told, problems=wrong),
            Operation("POST", f"{one}/stop", Right.OPERATE, self.stop, "Stop a node", told, problems=wrong),
        )

    async def list(self, request: Request) -> Answer:
        """GET /nodes: those that have not ended, and those that ended within the last hour, oldest first."""
        query.parameters(request)
        return Answer(200, _JSON, nodes_json(await self._client.nodes()))

    async def show(self, request: Request) -> Answer:
        """GET /nodes/{id}."""
        query.parameters(request)
        [node] = named(await self._client.nodes(), [_id(request)])
        return Answer(200, _JSON, msgspec.json.encode(node_of(node)))

    async def jobs(self, request: Request) -> Answer:
        """GET /nodes/{id}/jobs: what it runs, and what waits in its channel, in the order of the ids."""
        query.parameters(request)
        held = await self._client.commanding.jobs(_id(request))
        return Answer(200, _JSON, msgspec.json.encode([_job_of(each) for each in held]))

    async def quiet(self, request: Request) -> Answer:
        """POST /nodes/{id}/quiet: 202, it claims no more from its next beat on."""
        return await self._command(request, NodeWish.QUIET)

    async def resume(self, request: Request) -> Answer:
        """POST /nodes/{id}/resume: 202, it claims again from its next beat on."""
        return await self._command(request, NodeWish.RESUME)

    async def stop(self, request: Request) -> Answer:
        """POST /nodes/{id}/stop: 202, it stops in order from its next beat on."""
        return await self._command(request, NodeWish.STOP)

    async def _command(self, request: Request, wish: NodeWish) -> Answer:
        await check_bare(request, self._max_body)
        node = await self._client.commanding.command(_id(request), wish, by=actor_of(request))
        return Answer(202, _JSON, msgspec.json.encode(node_of(node)))


def _job_of(job: NodeJob) -> NodeJobJson:
    started = write_moment(job.started_at)
    return NodeJobJson(job.id, job.type, job.queue, job.worker_id, job.attempt, job.claim, started)


def _id(request: Request) -> str:
    id: str = request.scope["path_params"]["id"]
    return id


def node_of(node: NodeStatus) -> NodeJson:
    """A node as it goes out."""
    said = node.condition
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
        None if said is None else write_moment(said.at),
        None if said is None else said.rss_bytes,
        None if said is None else said.quiet,
        None if said is None else said.busy,
        node.wish,
    )


def nodes_json(nodes: Sequence[NodeStatus]) -> bytes:
    """Nodes as a JSON array."""
    return msgspec.json.encode([node_of(each) for each in nodes])
