"""POST /jobs/import of many lines: how fast, and what memory it takes.

    python -m benchmarks.imports --store sqlite --lines 100000
    python -m benchmarks.imports --store postgres --lines 100000

One client sends lines as fast as the server takes them. The server's resident memory is looked at ten times a second,
and the peak since its start is the kernel's. Jobs of the queue are not run meanwhile. It prints measurements, and
judges nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from benchmarks.figures import resident
from benchmarks.postgres.server import durable_server
from benchmarks.posts import fresh, served

LINES_AT_ONCE: Final = 500
PAYLOAD: Final = "x" * 180


class Told(msgspec.Struct):
    """What came of an import; memory in MiB."""

    imported: int
    seconds: float
    memory: list[float]
    peak_before: float
    peak: float


def imported(database: str, lines: int) -> Told:
    """Import so many lines into a fresh database, through a server of its own."""
    with served(database, {"QUEUES": "nobody"}) as server:
        pid = server.process.pid
        peak_before = _peak(pid)
        memory: list[float] = []
        ended = threading.Event()
        looker = threading.Thread(target=_look, args=(pid, memory, ended))
        looker.start()
        try:
            began = time.perf_counter()
            count = _send(server.url, lines)
            seconds = time.perf_counter() - began
        finally:
            ended.set()
            looker.join()
        return Told(count, seconds, memory, peak_before, _peak(pid))


def _send(url: str, lines: int) -> int:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=300)
    with contextlib.closing(connection):
        headers = {"Content-Type": "application/x-ndjson"}
        connection.request("POST", "/jobs/import", _pieces(lines), headers, encode_chunked=True)
        answer = json.loads(connection.getresponse().read())
    count: int = answer["imported"]
    return count


def _pieces(lines: int) -> Iterator[bytes]:
    """The body, some hundred lines at a time."""
    for start in range(0, lines, LINES_AT_ONCE):
        piece = (
            msgspec.json.encode({"type": "noop", "payload": {"text": PAYLOAD}, "tags": [f"line-{number}"]})
            for number in range(start, min(start + LINES_AT_ONCE, lines))
        )
        yield b"\n".join([*piece, b""])


def _look(pid: int, memory: list[float], ended: threading.Event) -> None:
    while True:
        memory.append(resident(pid))
        if ended.wait(0.1):
            return


def _peak(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--lines", type=int, default=100_000)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(durable_server()) if options.store == "postgres" else ""
        database, *_ = stack.enter_context(fresh(options.store, server))
        told = imported(database, options.lines)
    tenths = [told.memory[len(told.memory) * tenth // 10] for tenth in range(10)]
    print(f"{options.store}: {told.imported:,} lines in {told.seconds:.1f} s, {told.imported / told.seconds:,.0f}/s")
    print(f"resident MiB, a tenth of the time after the other: {', '.join(f'{each:.0f}' for each in tenths)}")
    print(f"peak: {told.peak_before:.0f} MiB before, {told.peak:.0f} MiB after")


if __name__ == "__main__":
    main()
