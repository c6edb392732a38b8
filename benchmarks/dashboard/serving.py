"""The server that is measured, and the one who hands jobs in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
TARGET: Final = ROOT / "benchmarks" / "target.py"
READY: Final = "ferryman listening on "
PATIENCE: Final = 120.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Served:
    """One process that serves HTTP, and one that runs the jobs: what viewers cost, the first one pays."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.pid = process.pid
        self.url = url

    def cpu(self) -> float:
        """Seconds of a core that the first process has used."""
        return cpu_of(self.pid)


@contextmanager
def served(database: str) -> Iterator[Served]:
    """`ferryman serve` on a store, as long as the block lasts."""
    command = [sys.executable, "-m", "ferryman", "serve", str(TARGET), "--port", "0", "--processes", "1"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")}
    environment = clean | {"FERRYMAN_DATABASE_URL": database, "FERRYMAN_LOG_LEVEL": "warning"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if line.startswith(READY))
            yield Served(process, line.removeprefix(READY).strip())
        finally:
            process.terminate()
            process.wait(PATIENCE)


@contextmanager
def fed(url: str, rate: int, type: str = "noop") -> Iterator[None]:
    """Somebody hands in so many jobs of a type a second, as long as the block lasts."""
    command = [sys.executable, "-m", "benchmarks.dashboard.feeding", url, "--rate", str(rate), "--type", type]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def cpu_of(pid: int) -> float:
    """Seconds of a core that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
