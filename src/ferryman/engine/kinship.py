"""A worker process survives nothing of its node, and what its handlers started survives nothing of the process.

    the node dies     ->  the kernel kills the worker process, even while a handler holds the interpreter
    the process dies  ->  its guard kills the rest of its group, then itself with it

Only the node itself could be the guard otherwise, and it may be what has died. Both need Linux; elsewhere
the process watches its connection, and kills its group when the node is gone, if a handler lets it run.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
from typing import Final, NoReturn

_SET_PDEATHSIG: Final = 1


def die_with(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Get a signal when the parent dies, or rather the thread of it that started this process; end at once if it has
    died already. Only Linux sends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(0)


def start_guard() -> None:
    """Start the guard of this process's group. To be called while the process has one thread."""
    try:
        process = os.pidfd_open(os.getpid())
    except (AttributeError, OSError):
        return
    between = os.fork()
    if not between:
        # forked twice: a handler that waits for any child of its own would else wait for the guard
        if not os.fork():
            _guard(process)
        os._exit(0)
    os.waitpid(between, 0)
    os.close(process)


def _guard(process: int) -> NoReturn:
    """Wait for the end of the process; what else asks this one to end is not meant for it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    os.dup2(process, 0)
    os.closerange(1, os.sysconf("SC_OPEN_MAX"))
    select.select([0], [], [])
    os.killpg(0, signal.SIGKILL)
    os._exit(0)
