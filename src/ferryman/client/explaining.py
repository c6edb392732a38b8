"""Gathers what a job is judged by, so that somebody can be told why it waits."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.client.pressure import Pressure
from ferryman.domain.explain import AtGate, Circumstances, Explanation, Server, begun, explain
from ferryman.domain.job import Job
from ferryman.domain.state import INITIAL
from ferryman.store.gating import KeyStatus
from ferryman.store.protocol import Clock, NodeStatus, Store


class Explaining:
    """Asks the store. What it is told in several answers need not be of one moment: it is for people."""

    def __init__(self, store: Store, clock: Clock, pressure: Pressure) -> None:
        self._store = store
        self._clock = clock
        self._pressure = pressure

    async def explain(self, job: Job) -> Explanation:
        """Why a job has not started. Raises StoreError."""
        if job.status not in INITIAL:
            return begun(job)
        store, now = self._store, self._clock.now()
        where = await store.whereabouts(job.id)
        nodes = await store.nodes(now)
        around = Circumstances(
            rules=await store.rules(),
            limits=() if where is None else where.limits,
            nodes=[Server(node.types, node.queues) for node in nodes if node.live],
            known=job.type in await store.known_types(),
            last_seen=_last_seen(nodes, job.type),
            ahead=0 if where is None else where.ahead,
            gate=None if where is None or where.key is None else _gate(where.key),
            per_second=await self._pressure.per_second(job.queue),
        )
        return explain(job, around, now)


def _gate(key: KeyStatus) -> AtGate:
    rule = key.rule
    return AtGate(key.key, key.paused, key.slots, rule.width, rule.rate, rule.share, key.waiting, key.held_by)


def _last_seen(nodes: Sequence[NodeStatus], type: str) -> int | None:
    """When the last node ended that had a handler for a type, as far as nodes are remembered."""
    ends = [node.ended_at for node in nodes if node.ended_at is not None and type in (node.types or ())]
    return max(ends, default=None)
