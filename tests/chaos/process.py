"""One operating system process of a campaign."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ferryman.testing.serving import READY

ROOT: Final = Path(__file__).parents[2]


class Process:
    """A node, or a producer. Its standard input is how it is told where to die."""

    def __init__(
        self, module: str, name: str, folder: Path, environ: Mapping[str, str], arguments: Sequence[str]
    ) -> None:
        """Start `python -m module name folder arguments`; what it logs goes to `<folder>/<name>.log`."""
        self.name = name
        self.began = time.monotonic()
        self.stopping_since: float | None = None
        self.frozen_until: float | None = None
        self.ready = threading.Event()
        self.url = ""
        """Where it listens, once it is ready; a producer listens nowhere."""
        with (folder / f"{name}.log").open("ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", module, name, str(folder), *arguments],
                cwd=ROOT,
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """Its first line says that it is ready; the rest is read so that it can go on writing."""
        assert self.popen.stdout is not None
        with self.popen.stdout as lines:
            for line in lines:
                if not self.ready.is_set():
                    self.url = line.removeprefix(READY).strip() if line.startswith(READY) else ""
                    self.ready.set()

    @property
    def usable(self) -> bool:
        """Whether it is up, and nothing has been done to it yet."""
        return self.ready.is_set() and self.frozen_until is None and self.stopping_since is None

    def tell(self, line: str) -> None:
        """Write to its standard input; one that is gone hears nothing."""
        assert self.popen.stdin is not None
        with contextlib.suppress(OSError):
            self.popen.stdin.write(line)
            self.popen.stdin.flush()

    def freeze(self, seconds: float) -> None:
        """SIGSTOP; returns when no thread of it runs any more. Who watches thaws it."""
        self.frozen_until = time.monotonic() + seconds
        self.popen.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.popen.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """SIGCONT."""
        self.frozen_until = None
        self.popen.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM."""
        self.stopping_since = time.monotonic()
        self.popen.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.popen.kill()

    def close(self) -> None:
        """After its end: let go of the pipe to it. The other one ends with its reader."""
        assert self.popen.stdin is not None
        with contextlib.suppress(OSError):
            self.popen.stdin.close()
