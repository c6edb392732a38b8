"""Send bytes to a server that no client in its right mind sends.

    python -m tests.fuzz.raw --seconds 60 --seed 1

A real server on SQLite, many connections at once, each with something from `tests.fuzz.hostile`; some are left open
without a word. The server must not fail: no answer of 5xx but for a full server, no traceback in its log, it answers
in between and at the end, and its memory does not grow. The exit code is 1 if it did, else 0.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from ferryman.engine.processes import rss_of
from ferryman.testing.serving import READY
from tests.fuzz.hostile import Generator

ROOT: Final = Path(__file__).parents[2]
TOGETHER: Final = 40
"""Connections at once."""
PATIENCE: Final = 0.15
"""Seconds for which an answer is waited for: much of what is sent is answered by waiting for more."""
KEPT_OPEN: Final = 100
"""Connections that are left open on the way."""
GROWTH: Final = 48 * 1024 * 1024
"""Bytes by which the memory may be larger at the end than after the first third: what is in flight, and no more."""
HEALTH: Final = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3})")


class Report(msgspec.Struct):
    """What came of it."""

    sent: Counter[str]
    answers: Counter[int]
    faults: list[str]
    memory: list[int]
    """Resident bytes, once a second or so."""

    def told(self) -> dict[str, object]:
        """For people."""
        return {
            "requests": self.sent.total(),
            "kinds": dict(self.sent),
            "answers": {str(status): count for status, count in sorted(self.answers.items())},
            "memory_mib": [round(each / 2**20) for each in self.memory[:: max(1, len(self.memory) // 12)]],
            "faults": self.faults,
        }


class Attack:
    """One server, and what is sent to it."""

    def __init__(self, port: int, pid: int, seed: int) -> None:
        self._port = port
        self._pid = pid
        self._generator = Generator(seed)
        self._open: list[asyncio.StreamWriter] = []
        self.report = Report(Counter(), Counter(), [], [])

    async def run(self, seconds: float) -> None:
        """Send for so long, then see that the server is well."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.gather(*(self._send() for _ in range(TOGETHER)))
            self.report.memory.append(rss_of(self._pid))
            await self._ask_health()
        for writer in self._open:
            writer.close()
        third = len(self.report.memory) // 3
        if self.report.memory and self.report.memory[-1] > max(self.report.memory[: third + 1]) + GROWTH:
            self.report.faults.append("The memory grew.")

    async def _send(self) -> None:
        kind, data = self._generator.next()
        self.report.sent[kind] += 1
        answer = await self._talk(data, stays=len(self._open) < KEPT_OPEN and kind == "cut off")
        for status in map(int, _STATUS.findall(answer)):
            self.report.answers[status] += 1
            if status >= 500:
                self.report.faults.append(f"{kind}: {data[:300]!r} -> {answer[:300]!r}")

    async def _ask_health(self) -> None:
        if b"200 OK" not in await self._talk(HEALTH, patience=10.0):
            self.report.faults.append("The server did not answer in between.")

    async def _talk(self, data: bytes, *, patience: float = PATIENCE, stays: bool = False) -> bytes:
        """Send bytes; gives what comes back while anything does."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        answer = b""
        try:
            writer.write(data)
            while piece := await asyncio.wait_for(reader.read(65536), patience):
                answer += piece
        except (TimeoutError, ConnectionError):
            pass
        if stays:
            self._open.append(writer)
        else:
            writer.transport.abort()
        return answer


def main(arguments: Sequence[str]) -> int:
    """Read the options, attack, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.raw")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    report = attacked(options.seconds, options.seed)
    print(msgspec.json.format(msgspec.json.encode(report.told()), indent=2).decode())
    return 1 if report.faults else 0


def attacked(seconds: float, seed: int) -> Report:
    """Start a server, attack it for so long, stop it."""
    with tempfile.TemporaryDirectory(prefix="ferryman-fuzz-") as folder:
        log = Path(folder, "log")
        command = [sys.executable, "-m", "ferryman", "serve", str(ROOT / "examples/basics.py"), "--port", "0"]
        environ = {**os.environ, "FERRYMAN_DATABASE_URL": f"sqlite:///{folder}/jobs.db"}
        with (
            log.open("wb") as errors,
            subprocess.Popen(
                command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as server,
        ):
            assert server.stdout is not None
            url = server.stdout.readline().removeprefix(READY).strip()
            attack = Attack(urlsplit(url).port or 0, server.pid, seed)
            asyncio.run(attack.run(seconds))
            if server.poll() is not None:
                attack.report.faults.append("The server ended.")
            server.terminate()
            if server.wait(60) != 0:
                attack.report.faults.append(f"The server stopped with exit code {server.returncode}.")
        if "Traceback" in (text := log.read_text("utf-8", "replace")):
            attack.report.faults.append(text[text.index("Traceback") - 500 :][:3000])
    return attack.report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
