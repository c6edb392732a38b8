"""What operators may tell nodes: be quiet, resume, stop; and what a node holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from ferryman.client.deeds import Deeds
from ferryman.client.inserter import patiently
from ferryman.client.nodes import named
from ferryman.domain.audit import Action
from ferryman.domain.errors import NodeEnded
from ferryman.domain.nodes import NodeWish
from ferryman.store.protocol import Clock, NodeStatus, Store

_ACTIONS: Final[Mapping[NodeWish, Action]] = MappingProxyType(
    {
        NodeWish.QUIET: Action.NODE_QUIET,
        NodeWish.RESUME: Action.NODE_RESUME,
        NodeWish.STOP: Action.NODE_STOP,
    }
)


class NodeJob(msgspec.Struct, frozen=True):
    """A job that a node holds: it runs, or waits in the node's channel. Times are in microseconds."""

    id: str
    type: str
    queue: str
    worker_id: str | None
    """Which worker ran it when the node said so last; None where it waited then, or came since."""
    attempt: int
    claim: int
    started_at: int
    """When its run started, or when it was claimed where that is not known."""


class Commanding:
    """The verbs; a part of a client. Every error is one of `ferryman.errors`."""

    def __init__(self, store: Store, clock: Clock, deeds: Deeds) -> None:
        self._store = store
        self._clock = clock
        self._deeds = deeds

    async def command(self, id: str, wish: NodeWish, *, by: str | None = None) -> NodeStatus:
        """Tell a node what to do, which it hears with its next beat. Gives the node as it is now.

        Raises:
            NodeNotFound: it never was, or ended more than an hour ago.
            NodeEnded: it has ended, or its process is gone.
        """
        node = await self._node(id)
        deed = self._deeds.of(_ACTIONS[wish], id, by)
        if not node.live or not await patiently(lambda: self._store.command(id, wish, deed.at, deed=deed)):
            raise NodeEnded(
                f"The node {id} cannot be told to {wish}.",
                why="It has ended, or its process is gone.",
                hint="`ferryman nodes` shows which nodes live.",
            )
        return await self._node(id)

    async def jobs(self, id: str) -> Sequence[NodeJob]:
        """The jobs that a node holds, in the order of their ids. Raises NodeNotFound."""
        node = await self._node(id)
        told = node.condition.running if node.condition else ()
        runs = {(each.id, each.claim): each for each in told}
        found: list[NodeJob] = []
        for held in await self._store.held_by(id):
            run = runs.get((held.id, held.claim))
            worker, started = (run.worker_id, run.started_at) if run else (None, None)
            since = held.claimed_at if started is None else started
            found.append(NodeJob(held.id, held.type, held.queue, worker, held.attempt, held.claim, since))
        return found

    async def _node(self, id: str) -> NodeStatus:
        [node] = named(await self._store.nodes(self._clock.now()), [id])
        return node
