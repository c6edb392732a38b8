"""Which nodes of a SQLite file live: a lock file each, `<db>-nodes/<id>.lock`.

The process that holds the lock is alive; the kernel lets go of it when the process ends, however it
ends. The file also holds a beat counter, by which others judge a node that hangs. A node that was
taken for dead finds its file gone. Nothing here goes through the database, so a long transaction of
somebody costs nobody its claims.

What a node says of how it is goes into a file beside it, `<id>.json`: it is written once a beat, and nobody
needs it after a crash, so it is worth no commit.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ferryman.domain.errors import StoreFailed
from ferryman.domain.nodes import Condition
from ferryman.store.commanding import condition_of, encode_condition
from ferryman.store.lockfiles import is_held

_COUNTER: Final = struct.Struct("<Q")


def nodes_folder(database: Path) -> Path:
    """The folder beside a database that holds its lock files and sockets."""
    return database.with_name(database.name + "-nodes")


class Liveness:
    """The lock files of one database, and the beats of others as this process has seen them."""

    def __init__(self, folder: Path, monotonic: Callable[[], float]) -> None:
        self._folder = folder
        self._monotonic = monotonic
        self._own: dict[str, tuple[int, int]] = {}
        self._seen: dict[str, tuple[int | None, float]] = {}

    def enter(self, node: str) -> None:
        """Hold a lock for a node of this process. Idempotent. Raises StoreFailed: it cannot beat."""
        if node in self._own:
            return
        self._folder.mkdir(exist_ok=True)
        descriptor = os.open(self._path(node), os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._own[node] = (descriptor, 0)
        self._tidy()
        try:
            self.beat(node)
        except StoreFailed:  # nobody should count on a node that cannot beat
            self.leave(node)
            raise

    def beat(self, node: str) -> bool:
        """Count on. False: the file is gone, so somebody took this node for dead.

        Raises:
            StoreFailed: the file cannot be written, which says nothing of what others think of the node.
        """
        held = self._own.get(node)
        if held is None:
            return False
        descriptor, count = held
        try:
            if os.fstat(descriptor).st_nlink == 0:
                return False
            os.pwrite(descriptor, _COUNTER.pack(count + 1), 0)
        except OSError as error:
            raise StoreFailed(f"A beat could not be written to {self._path(node)}: {error}.") from error
        self._own[node] = (descriptor, count + 1)
        return True

    def leave(self, node: str) -> None:
        """Let go of an own node. Idempotent."""
        held = self._own.pop(node, None)
        if held is not None:
            self.bury(node)
            os.close(held[0])

    def dead(self, node: str, lease: float) -> bool:
        """Whether a node's process is gone, or its counter has stood still for `lease` seconds."""
        if self._unlocked(node):
            return True
        count = self._read(node)
        before = self._seen.get(node)
        if before is None or before[0] != count:
            self._seen[node] = (count, self._monotonic())
            return False
        return self._monotonic() - before[1] >= lease

    def bury(self, node: str) -> None:
        """Remove the file of a dead node, which tells it so if it wakes up."""
        self._seen.pop(node, None)
        self._path(node).unlink(missing_ok=True)
        self._said(node).unlink(missing_ok=True)

    def say(self, node: str, condition: Condition) -> None:
        """Write how an own node is, for `condition`, as a whole. Raises StoreFailed."""
        said = self._said(node)
        new = said.with_suffix(".new")
        try:
            new.write_bytes(encode_condition(condition))
            new.replace(said)
        except OSError as error:
            raise StoreFailed(f"What a node says could not be written to {said}: {error}.") from error

    def condition(self, node: str) -> Condition | None:
        """How a node is, as it said last; None where it has said nothing, or nothing that can be read."""
        try:
            return condition_of(self._said(node).read_bytes())
        except FileNotFoundError:
            return None

    def gone(self, node: str) -> bool:
        """Whether a node's process is known to have ended; a look that counts for no later judgement."""
        return self._unlocked(node)

    def close(self) -> None:
        """Let go of every own node without burying it: whoever comes next finds it dead."""
        for descriptor, _ in self._own.values():
            os.close(descriptor)
        self._own.clear()

    def _path(self, node: str) -> Path:
        return self._folder / f"{node}.lock"

    def _tidy(self) -> None:
        """Remove what nodes said whose lock files are gone: who buried them may be of a version that does not."""
        for said in self._folder.glob("*.json"):
            if not said.with_suffix(".lock").exists():
                said.unlink(missing_ok=True)

    def _said(self, node: str) -> Path:
        return self._folder / f"{node}.json"

    def _read(self, node: str) -> int | None:
        try:
            data = self._path(node).read_bytes()
        except OSError:
            return None
        count: int | None = _COUNTER.unpack(data)[0] if len(data) == _COUNTER.size else None
        return count

    def _unlocked(self, node: str) -> bool:
        """Whether nobody holds the lock; a file that is not there tells nothing."""
        return is_held(self._path(node)) is False
