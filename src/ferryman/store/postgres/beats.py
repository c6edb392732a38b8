"""The beats of this process's nodes, which go on while its loop is blocked."""

from __future__ import annotations

from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.loopthread import LoopThread
from ferryman.store.postgres.steps import ask


class Beats:
    """Beats on a thread of its own, over a line of its own."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._thread = LoopThread("ferryman-beats")

    def beat(self, node: int) -> bool:
        """See `Store.beat`."""
        return self._thread.run(self._beat(node))

    async def _beat(self, node: int) -> bool:
        await self._line.open()
        return bool(await self._line.do(ask("beat", node)))

    async def close(self) -> None:
        """End the thread, and let go of the connection. Idempotent."""
        await self._thread.close(self._line.close)

    def abandon(self) -> None:
        """Forget the thread: it belongs to the process that forked this one. The line is abandoned with the others."""
        self._thread.abandon()
