"""Who is alive, as one observer sees it: by beats counted against its own monotonic clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ferryman.store.memory.rows import NodeRow


class Watch:
    """Remembers when it last saw each node's beats grow. Wall clocks and other nodes' clocks play no part."""

    def __init__(self, gone: Callable[[str], bool]) -> None:
        """`gone` says of a node's id whether its process is known to have ended."""
        self._gone = gone
        self._seen: dict[int, tuple[int, float]] = {}

    def dead(self, nodes: Iterable[NodeRow], monotonic: float, lease: float) -> list[NodeRow]:
        """The nodes that are gone, retired, or without a new beat for `lease` seconds of watching."""
        seen, self._seen = self._seen, {}
        found: list[NodeRow] = []
        for node in nodes:
            beats, since = seen.get(node.number, (-1, monotonic))
            if node.beats != beats:
                since = monotonic
            self._seen[node.number] = node.beats, since
            if not node.live or self._gone(node.info.id) or monotonic - since >= lease:
                found.append(node)
        return found
