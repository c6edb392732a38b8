"""A small disk for the database, which can be filled and freed. It goes away with the campaign, however that ends.

The disk is a tmpfs in a mount namespace of the campaign's own. To make one takes root or a user
namespace; where neither is to be had there is no campaign, rather than one that leaves this out.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ENCLOSED: Final = "CHAOS_ENCLOSED"
"""Set in the environment inside the namespace."""
WAYS: Final = (
    ("unshare", "--mount", "--propagation", "private"),
    ("unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"),
)
"""How to get a mount namespace: as root, and as anybody where the kernel allows it."""
NEEDED: Final = (
    "The campaign needs a small disk of its own, to fill it: run it as root, or where an unprivileged user may\n"
    "make namespaces (`unshare --user --map-root-user --mount true` works there; on Debian and Ubuntu see the\n"
    "sysctls kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns)."
)
CHUNK: Final = 65536


def enclosed() -> bool:
    """Whether this process has a mount namespace of its own, by `enclose`."""
    return ENCLOSED in os.environ


def enclose(arguments: Sequence[str]) -> None:
    """Begin this program anew inside a mount namespace; returns only where that cannot be had."""
    way = next((way for way in WAYS if shutil.which(way[0]) and _can_mount(way)), None)
    if way is not None:
        sys.stdout.flush()
        os.environ[ENCLOSED] = "1"
        os.execvp(way[0], [*way, sys.executable, "-m", "tests.chaos", *arguments])


def _can_mount(way: Sequence[str]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run([*way, *_mount(Path(folder), 1)], capture_output=True, check=False)
    return tried.returncode == 0


def _mount(folder: Path, megabytes: int) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]


class Disk:
    """A file system of a few megabytes."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        """Mount it at a folder, which is made."""
        folder.mkdir()
        subprocess.run(_mount(folder, megabytes), check=True)
        self.folder = folder
        self._full_until = -math.inf
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no room, not a page."""
        self._full_until = math.inf
        descriptor = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            while True:
                os.write(descriptor, bytes(CHUNK))
        except OSError:
            return
        finally:
            os.close(descriptor)

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)
        self._full_until = time.monotonic()

    @property
    def spacious(self) -> bool:
        """Whether at least half of it is free, and will be when it is freed again."""
        state = os.statvfs(self.folder)
        return state.f_bavail * 2 >= state.f_blocks

    def was_full(self, since: float) -> bool:
        """Whether it was full at any time since then, in seconds of the monotonic clock."""
        return self._full_until >= since

    def unmount(self) -> None:
        """Let go of it."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False)
