"""Which nodes of this machine live, as their lock files say.

A node is judged by its beats in the database. But who shares a machine with it can know at once that its process has
ended: the kernel has let go of its lock. A file that is not there says nothing, so nodes of other machines are left
to their beats.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ferryman.store.lockfiles import is_held


class NodeLocks:
    """The lock files of this process's nodes, and a look at those of others."""

    def __init__(self, folder: Path) -> None:
        """`folder` is one that all processes of one user on a machine share; made when it is needed."""
        self._folder = folder
        self._own: dict[str, int] = {}

    def enter(self, node: str) -> None:
        """Hold the lock of an own node, if the folder can be had: it only makes others notice sooner. Idempotent."""
        if node in self._own:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path(node), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._own[node] = descriptor

    def leave(self, node: str) -> None:
        """Let go of an own node for good. Idempotent."""
        descriptor = self._own.pop(node, None)
        if descriptor is not None:
            self.bury(node)
            os.close(descriptor)

    def gone(self, node: str) -> bool:
        """Whether a node's process is known to have ended."""
        return is_held(self._path(node)) is False

    def bury(self, node: str) -> None:
        """Remove the file of a node that has ended."""
        self._path(node).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of every own node without burying it: whoever comes next finds it dead."""
        for descriptor in self._own.values():
            os.close(descriptor)
        self._own.clear()

    def _path(self, node: str) -> Path:
        return self._folder / f"{node}.lock"
