"""What a command sees of the world around it; tests hand in another one."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import IO

import msgspec

from ferryman.app import Ferryman
from ferryman.settings import Settings
from ferryman.supervise.role import Role


def person() -> str:
    """Who types, and on which machine; a user without a name is a number."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


class World(msgspec.Struct, frozen=True):
    """The surroundings of one command."""

    environ: Mapping[str, str]
    folder: Path
    """The current folder."""
    now: Callable[[], float]
    """Seconds since 1970."""
    sqlite: tuple[int, int, int]
    """The version of SQLite that this Python comes with."""
    is_terminal: Callable[[IO[str]], bool] = lambda stream: stream.isatty()
    """Whether a person reads, or writes, a stream."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Lets seconds pass."""
    send: Callable[[int, int], None] = os.kill
    """Sends a process a signal."""
    who: Callable[[], str] = person
    """Names who types, and where."""
    run: Callable[[Settings, Ferryman, Role], int] | None = None
    """Serves an app until it is told to stop, and gives the exit code; None is the real thing."""
