"""What a command sees of the world around it; tests hand in another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from ferryman.app import Ferryman
from ferryman.settings import Settings
from ferryman.supervise.role import Role


class World(msgspec.Struct, frozen=True):
    """The surroundings of one command."""

    environ: Mapping[str, str]
    folder: Path
    """The current folder."""
    now: Callable[[], float]
    """Seconds since 1970."""
    sqlite: tuple[int, int, int]
    """The version of SQLite that this Python comes with."""
    run: Callable[[Settings, Ferryman, Role], int] | None = None
    """Serves an app until it is told to stop, and gives the exit code; None is the real thing."""
