"""Finds processes by a mark in their environment: whoever they are, and whoever their parent has become.

A process hands its environment on to all that it starts, so the mark of one is that of its whole kin.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

MARK: Final = "CHAOS_MARK"
"""The variable that has the mark."""


def marked(mark: str) -> list[int]:
    """The processes that live and were started with `CHAOS_MARK=mark`. One that has ended has no environment."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _has(folder, f"{MARK}={mark}".encode())]


def end(mark: str) -> None:
    """After an accident: kill them."""
    for pid in marked(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _has(folder: Path, wanted: bytes) -> bool:
    try:
        return wanted in (folder / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile, or is not ours to look at
        return False
