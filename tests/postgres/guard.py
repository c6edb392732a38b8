"""The process between us and a server: it keeps the server's log, carries out orders, and ends it when we are gone.

    python guard.py PARENT FOLDER UID GID COMMAND...        UID and GID are empty if the user stays

It says READY once the server accepts connections, and ends after the last process of the server: they all hold
the end of the pipe that the log comes from. Orders come on its standard input, a byte each. When the parent is gone,
however it died, the server is stopped at once and FOLDER is removed. A guard that cannot go on leaves no server
without one: it kills it, says why in the log, and ends with FAILED. It runs alone, before anything is installed.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Final

READY: Final = b"+"
FAST, KILL = b"f", b"k"
LOG: Final = "server.log"
ACCEPTS: Final = b"ready to accept connections"
FAILED: Final = 90
"""The exit code of a guard that could not go on; no server ends with it."""
_ORDERS, _ANSWERS = 0, 1


def main(arguments: list[str]) -> int:
    """Run the server to its end; its exit code, 128 and more if a signal ended it, or FAILED."""
    parent, folder, uid, gid, *command = arguments
    server = subprocess.Popen(
        command,
        user=int(uid) if uid else None,
        group=int(gid) if gid else None,
        extra_groups=[] if uid else None,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with Path(folder, LOG).open("ab", buffering=0) as log:
        guard = Guard(server, _end_of(int(parent)), log.fileno(), _ANSWERS)
        failed = False
        try:
            guard.watch()
        except Exception:  # whatever it is: the server must not stay, perhaps halted, with nobody to end it
            failed = True
            _end(server)
            with contextlib.suppress(OSError):
                log.write(b"The guard of the server could not go on, and has killed it.\n")
                log.write(traceback.format_exc().encode())
    code = server.wait()
    if guard.orphaned:
        shutil.rmtree(folder, ignore_errors=True)
    if failed:
        return FAILED
    return code if code >= 0 else 128 - code


def _end_of(parent: int) -> int:
    """What can be read from once the parent is gone. Without it the end of the orders has to do, which comes later
    if children of the parent hold the other side of the pipe."""
    try:
        return os.pidfd_open(parent)
    except (AttributeError, OSError):
        return _ORDERS


class Guard:
    """Watches one run of a server."""

    def __init__(self, server: subprocess.Popen[bytes], parent: int, log: int, answers: int) -> None:
        """`parent` can be read from once the parent is gone; `log` and `answers` are written to."""
        self.orphaned = False
        self._server = server
        self._parent = parent
        self._log = log
        self._answers = answers
        self._accepts = False
        self._said = b""

    def watch(self) -> None:
        """Until the last process of the server has ended."""
        assert self._server.stdout is not None
        output = self._server.stdout.fileno()
        while True:
            watched = [output] if self.orphaned else [output, _ORDERS, self._parent]
            news = select.select(watched, [], [])[0]
            if output in news:
                data = os.read(output, 1 << 16)
                if not data:
                    return
                self._note(data)
            if _ORDERS in news:
                self._obey(os.read(_ORDERS, 1))
            elif self._parent in news:
                self._obey(b"")

    def _note(self, data: bytes) -> None:
        """Keep what the server says, and pass on the first time that it accepts connections."""
        os.write(self._log, data)
        if self._accepts:
            return
        self._said = self._said[-len(ACCEPTS) :] + data
        if ACCEPTS in self._said:
            self._accepts = True
            with contextlib.suppress(BrokenPipeError):
                os.write(self._answers, READY)

    def _obey(self, order: bytes) -> None:
        if order == FAST:
            self._server.send_signal(signal.SIGINT)
        elif order == KILL:
            _kill(self._server)
        else:
            self.orphaned = True
            self._server.send_signal(signal.SIGQUIT)  # clears its shared memory, which SIGKILL would leave
            self._server.send_signal(signal.SIGCONT)  # somebody may have halted it


def _kill(server: subprocess.Popen[bytes]) -> None:
    """All processes at once. The first one is halted before, so that it starts no more of them."""
    if server.poll() is not None:
        return  # it has ended by itself, and its children notice
    server.send_signal(signal.SIGSTOP)
    if server.returncode is not None or not os.WIFSTOPPED(os.waitpid(server.pid, os.WUNTRACED)[1]):
        return  # the same, a moment later
    _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    """Kill the first process and those that it has started."""
    if server.poll() is not None:
        return  # its number may be another's by now
    for process in (*_children(server.pid), server.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _children(parent: int) -> list[int]:
    """Where there is no /proc, those of PostgreSQL notice by themselves that their parent has died."""
    return [process for process in _processes() if _parent_of(process) == parent]


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []


def _parent_of(process: int) -> int | None:
    """None for one that has ended meanwhile."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
