"""Runs a command that shall not outlive its parent: `python -m ferryman.cli.offspring PARENT ARGUMENT...`.

PARENT is the parent's process id. Linux sends SIGTERM to this process when the thread that started it
ends; elsewhere only an orderly end of the parent ends it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

from ferryman.cli import main

_PR_SET_PDEATHSIG: Final = 1


def die_with(parent: int) -> None:
    """Have SIGTERM sent to this process when its parent ends; end at once if it has already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the signal was asked for
        sys.exit(0)


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    main(sys.argv[2:])
