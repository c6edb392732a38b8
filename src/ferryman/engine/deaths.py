"""Sees the end of a worker process, and says what it was."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any, Final

from ferryman.domain.errors import (
    HandlerError,
    HandlerKilled,
    HandlerOutOfMemory,
    HandlerProcessExited,
    ProcessNotStarted,
)

_CRASHED: Final = "After a crash the node's stderr has the stack."


def watch(process: subprocess.Popen[Any], on_end: Callable[[], None]) -> None:
    """Call `on_end` on the running loop once the process has ended, and before it is reaped where that can be."""
    loop = asyncio.get_running_loop()
    try:
        pidfd = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # a system without them, or one that forbids them
        threading.Thread(target=_wait, args=(process, loop, on_end), name="ferryman-process", daemon=True).start()
        return

    def ended() -> None:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        on_end()

    loop.add_reader(pidfd, ended)


def _wait(process: subprocess.Popen[Any], loop: asyncio.AbstractEventLoop, on_end: Callable[[], None]) -> None:
    process.wait()
    try:
        loop.call_soon_threadsafe(on_end)
    except RuntimeError:
        return  # the loop has ended: nobody asks any more


def kill_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the process and to all that its handlers started in its group."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left, or (on some systems) only those that have ended already


def told(code: int, *, ready: bool, out_of_memory: bool) -> HandlerError:
    """What the end of a process means for the run under way.

    Args:
        code: its exit code, or minus the number of the signal that ended it.
        ready: whether it ever got so far that it could take work.
        out_of_memory: whether the kernel killed for want of memory meanwhile.
    """
    if code == -signal.SIGKILL and out_of_memory:
        return HandlerOutOfMemory(
            "The kernel killed the handler's process: out of memory.",
            hint="Give it more memory, run fewer such jobs at once, or split the job.",
        )
    how = f"was killed by {_name(-code)}" if code < 0 else f"exited with code {code}"
    if not ready:
        return ProcessNotStarted(
            f"The worker process {how} before it was ready.", hint="The node's stderr may say why."
        )
    if code < 0:
        return HandlerKilled(f"The handler's process {how}.", why="The signal was not Ferryman's.", hint=_CRASHED)
    return HandlerProcessExited(
        f"The handler's process {how}.", why="The handler had not returned.", hint="Return or raise to end a run."
    )


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
