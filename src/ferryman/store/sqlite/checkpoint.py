"""Only one process checkpoints a file: SQLite before 3.51.3 can corrupt a WAL that is reset while another writes."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from ferryman.store.sqlite.database import CHECKPOINT_PAGES
from ferryman.store.sqlite.statements import Connection

LOCK: Final = "checkpoint.lock"


class Checkpoints:
    """The right to checkpoint: a lock file that the kernel frees with its process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this process does the checkpoints."""
        return self._descriptor is not None

    def adopt(self, connection: Connection) -> None:
        """Take the right if nobody has it; if it is ours, this connection checkpoints as it commits."""
        if not self.held and not self._take():
            return
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    def _take(self) -> bool:
        self._folder.mkdir(exist_ok=True)
        descriptor = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def close(self) -> None:
        """Let go of the right. Idempotent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
