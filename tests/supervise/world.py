"""A folder with a target, supervisors that are started there, and what their handlers say."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import IO, NamedTuple

from ferryman import Ferryman
from ferryman.domain.state import Status

JOBS = """
import asyncio, os
from ferryman import Context, Ferryman

app = Ferryman()

@app.job_with_context
async def waits(ctx: Context, path: str) -> None:
    with open(path, "a") as file:
        file.write(f"{ctx.job.id} {ctx.claim} {os.getpid()}\\n")
    await asyncio.Event().wait()
"""


async def waits(path: str) -> None:
    """Stands for the handler where jobs are enqueued; it never runs here."""


class Started(NamedTuple):
    """A line of the handler's: which job it runs, under which claim, in which process."""

    id: str
    claim: int
    pid: int


class World:
    """A folder with a target and a database, and supervisors that are started there."""

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self.folder = folder
        (folder / "jobs.py").write_text(JOBS)
        self.database = database or f"sqlite:///{folder}/jobs.db"
        self.pipe = folder / "seen"
        os.mkfifo(self.pipe)
        self._kept_open = os.open(self.pipe, os.O_RDWR)
        self.lines: IO[str] = self.pipe.open()
        self.app = Ferryman(self.database)
        self.job = self.app.job(waits)
        self.log = folder / "log"
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *command: str, log: bool = False) -> subprocess.Popen[str]:
        """Run a command until its ready line; with `log` what it says besides goes to a file, with all warnings."""
        environment = self.environment() | ({"PYTHONDEVMODE": "1"} if log else {})
        with self.log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "ferryman", *command],
                env=environment,
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=file if log else None,
                text=True,
            )
        self.processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ferryman ")
        return process

    def refused(self, *command: str) -> tuple[int, str]:
        """Run a command that does not start; gives its exit code and what it said."""
        line = [sys.executable, "-m", "ferryman", *command]
        done = subprocess.run(
            line, env=self.environment(), cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stdout == ""
        return done.returncode, done.stderr

    def environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")}
        environment |= {"FERRYMAN_DATABASE_URL": self.database, "FERRYMAN_PORT": "0", "FERRYMAN_LOG_LEVEL": "error"}
        return environment

    def hand_in(self, count: int) -> list[str]:
        return [self.job.enqueue(str(self.pipe)).id for _ in range(count)]

    def started(self, count: int) -> list[Started]:
        """Wait until so many handlers have started."""
        found = [self.lines.readline().split() for _ in range(count)]
        return [Started(id, int(claim), int(pid)) for id, claim, pid in found]

    def node_of(self, id: str) -> str:
        """Which node runs a job."""
        node = self.app._bridge.call(lambda client: client.get(id), "get").node
        assert node is not None
        return node

    def statuses(self, ids: list[str]) -> set[Status]:
        return {self.job.handle(id).status() for id in ids}

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(60)
            if process.stdout is not None:
                process.stdout.close()
        self.app.close()
        self.lines.close()
        os.close(self._kept_open)


class Watched:
    """Processes that are no children of ours, watched until they end."""

    def __init__(self, pids: set[int]) -> None:
        self._files = {pid: os.pidfd_open(pid) for pid in pids}

    def wait(self) -> None:
        for pid, file in self._files.items():
            assert select.select([file], [], [], 60)[0], f"the process {pid} lives on"
            os.close(file)
