"""Forked processes: made to stand still, killed, and never left behind."""

from __future__ import annotations

import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from ferryman.crashing.line import ChildEnd, Message, ParentEnd
from ferryman.engine.kinship import die_with


class Process:
    """One forked process, in a process group of its own, as the one that forked it sees it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Nothing is forked yet."""
        self._monotonic = monotonic
        self._pid = 0
        self._line: ParentEnd | None = None
        self._reaped = False

    def start(self, play: Callable[[ChildEnd], NoReturn], others: Sequence[Process]) -> None:
        """Fork; `play` is what the new process does. What it inherits of `others` it closes."""
        ours, theirs = socket.socketpair()
        self._line = ParentEnd(ours, self._monotonic)
        parent = os.getpid()
        self._pid = _fork()
        if self._pid == 0:
            try:
                _leave_home(parent)
                for each in (self, *others):
                    each.line.close()
                play(ChildEnd(theirs))
            finally:
                os._exit(1)  # whatever happened: it must not come back to where it was forked
        theirs.close()

    @property
    def line(self) -> ParentEnd:
        """The way to it."""
        assert self._line is not None
        return self._line

    def hear(self, deadline: float) -> Message | None:
        """See `ParentEnd.hear`."""
        return self.line.hear(deadline)

    def kill(self) -> None:
        """SIGKILL the process, and it alone, as the kernel would; it is dead when this returns."""
        os.kill(self._pid, signal.SIGKILL)
        # not reaped yet, so that its number stays its own as long as its group may have others in it
        os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)

    def freeze(self) -> None:
        """Stop all its threads where they are."""
        os.kill(self._pid, signal.SIGSTOP)
        _, status = os.waitpid(self._pid, os.WUNTRACED)
        self._reaped = not os.WIFSTOPPED(status)  # it may have ended just before

    def thaw(self) -> None:
        """Let them go on."""
        if not self._reaped:
            os.kill(self._pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill it with all that it started. Idempotent."""
        if self._pid == 0:
            return
        self.line.close()
        if self._reaped:
            return
        self._reaped = True
        for send in (os.killpg, os.kill):  # the group may not be there yet, or any more
            with suppress(ProcessLookupError, PermissionError):
                send(self._pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _fork() -> int:
    # what is buffered would else be written twice
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # other threads of the caller stay behind: the app's own are made for that, see store/forks.py
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _leave_home(parent: int) -> None:
    """Be a process of its own: out of the reach of Ctrl-C, and dead when its parent is."""
    os.setsid()
    die_with(parent)
