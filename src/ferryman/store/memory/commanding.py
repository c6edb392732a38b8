"""What operators tell the nodes of a memory store, and what these say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ferryman.domain.audit import Deed
from ferryman.domain.nodes import Condition, NodeWish, Wished
from ferryman.domain.state import Status
from ferryman.store.commanding import HeldJob
from ferryman.store.describing import Described
from ferryman.store.memory.auditing import Auditing
from ferryman.store.memory.rows import NodeRow


class Commanding(Auditing):
    """See `store.commanding`."""

    async def command(self, id: str, wish: NodeWish, now: int, *, deed: Deed | None = None) -> bool:
        """Remember a wish with the node."""
        row = next((each for each in self._standing() if each.info.id == id), None)
        if row is None:
            return False
        wished = Wished(wish, now)
        self._note(deed if row.wished != wished else None)
        row.wished = wished
        return True

    async def check_in(self, node: int, condition: Condition) -> Wished | None:
        """Remember how the node is."""
        row = next((each for each in self._standing() if each.number == node), None)
        if row is None:
            return None
        row.condition = condition
        return row.wished

    async def held_by(self, id: str) -> Sequence[HeldJob]:
        """The open runs of the node's claims."""
        held = [
            HeldJob(job, row.job.type, row.job.queue, number, row.attempt + 1, claim.claimed_at)
            for claim in self._tables.claims.values()
            if claim.node.info.id == id
            for job, number in claim.runs.items()
            for row in (self._tables.jobs[job],)
        ]
        return sorted(held, key=lambda each: each.id)

    async def describe(self) -> Described:
        """What there is to say of what goes with the process."""
        jobs = self._tables.jobs.values()
        pending = Counter(row.job.type for row in jobs if row.status is Status.PENDING)
        return Described("memory", "memory://", None, None, None, pending)

    def _standing(self) -> list[NodeRow]:
        """The nodes that have not ended."""
        return [each for each in self._tables.nodes.values() if each.ended_at is None]
