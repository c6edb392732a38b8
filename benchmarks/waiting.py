"""Many who wait for jobs over HTTP: does each get its event, how late, and what does it cost the store?

    python -m benchmarks.waiting --store sqlite|postgres [--clients 500] [--seconds 3]

Half of the clients send `Prefer: wait=60`, half read the event stream of a job; each has a connection and a job of its
own. The jobs run once all clients wait: first in the process that answers, then in another one. A delay is from the
job's `finished_at`, when its handler returned, to the arrival of the whole answer or event, both by the clock of this
machine: so it includes the commit of the outcome, up to one interval of the watcher where another process ran the job,
the read of the job, and the way through a client that serves all of its connections by itself. It prints measurements;
the exit code is 1 if some client did not get its event within a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any
from urllib.parse import urlsplit

from benchmarks.figures import percentiles
from benchmarks.postgres.places import ROOT, place, server_for
from benchmarks.postgres.stores import migrate
from benchmarks.waiting_side import QUEUE
from ferryman.program import new_event_loop
from ferryman.store.factory import is_postgres

PATIENCE = 60.0
"""Seconds in which every client must have its event."""
NAP = 0.1
"""Seconds that each job takes."""
ENDED = {"completed", "failed", "cancelled"}


class Answering:
    """The process that answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._say, self._hear = _pipes(process)
        place = urlsplit(self._hear.readline().strip())
        self.host, self.port = place.hostname, place.port

    def looks(self) -> int:
        """How often its watcher has read the store."""
        self._say.write("\n")
        self._say.flush()
        return int(self._hear.readline())

    async def looks_per_second(self, seconds: float) -> float:
        """Over the next few seconds."""
        began, before = time.monotonic(), self.looks()
        await asyncio.sleep(seconds)
        return (self.looks() - before) / (time.monotonic() - began)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of its own."""
        return await asyncio.open_connection(self.host, self.port)

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """One request; gives the JSON of its answer."""
        reader, writer = await self.connect()
        try:
            await say(writer, method, path, body)
            return await answer(reader)
        finally:
            writer.close()


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


@contextmanager
def processes(url: str, parts: Sequence[str]) -> Iterator[Answering]:
    """One process for each part, the first of which answers; all of them end with the block."""
    started: list[subprocess.Popen[str]] = []
    try:
        for part in parts:
            command = [sys.executable, "-m", "benchmarks.waiting_side", url, part]
            started.append(
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
        for each in started[1:]:
            _pipes(each)[1].readline()
        yield Answering(started[0])
    finally:
        for each in reversed(started):
            each.terminate()
        for each in started:
            each.communicate(timeout=PATIENCE)


# -- clients -----------------------------------------------------------------------------------------


async def say(writer: asyncio.StreamWriter, method: str, path: str, body: object = None, *headers: str) -> None:
    """Send a request."""
    content = b"" if body is None else json.dumps(body).encode()
    kind = ["content-type: application/json"] if body is not None else []
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", f"content-length: {len(content)}", *kind, *headers, "", ""]
    writer.write("\r\n".join(lines).encode() + content)
    await writer.drain()


async def answer(reader: asyncio.StreamReader) -> Any:
    """The JSON of an answer that has a length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if not 200 <= int(head.split()[1]) < 300:
        raise RuntimeError(head)
    return json.loads(await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0])))


async def wait(server: Answering, id: str) -> float:
    """Get the job once it has ended; gives how late that was."""
    reader, writer = await server.connect()
    try:
        await say(writer, "GET", f"/jobs/{id}", None, "prefer: wait=60")
        return late(await answer(reader))
    finally:
        writer.close()


async def follow(server: Answering, id: str) -> float:
    """Read events until the job has ended; gives how late that was told."""
    reader, writer = await server.connect()
    try:
        await say(writer, "GET", f"/jobs/{id}/events")
        async for line in reader:
            if line.startswith(b"data: {") and b'"finished_at"' in line:
                job = json.loads(line.removeprefix(b"data: "))
                if job["status"] in ENDED:
                    return late(job)
        raise RuntimeError("The stream has ended before its job.")
    finally:
        writer.close()


def late(job: dict[str, Any]) -> float:
    """Seconds from the end of a job to now."""
    now = time.time()
    if job["status"] not in ENDED:
        raise RuntimeError(f"The job is {job['status']}.")
    return now - datetime.fromisoformat(job["finished_at"]).timestamp()


# -- the measure -------------------------------------------------------------------------------------


async def measure(url: str, parts: Sequence[str], clients: int, seconds: float) -> bool:
    """One way to run the jobs. Returns whether every client got its event."""
    with processes(url, parts) as server:
        await server.ask("POST", f"/queues/{QUEUE}/pause")
        job = {"type": "nap", "payload": {"seconds": NAP}}
        ids = [id for _ in range(clients) for id in (await server.ask("POST", "/jobs/batch", {"jobs": [job]}))["ids"]]
        alone = asyncio.ensure_future(wait(server, ids[0]))
        await asyncio.sleep(1)  # the first looks come faster
        by_one = await server.looks_per_second(seconds)
        alone.cancel()
        waits = [asyncio.ensure_future((wait, follow)[n % 2](server, id)) for n, id in enumerate(ids)]
        await asyncio.sleep(1)
        by_all = await server.looks_per_second(seconds)
        await server.ask("POST", f"/queues/{QUEUE}/resume")
        await asyncio.wait(waits, timeout=PATIENCE)
        return tell(parts, waits, by_one, by_all)


def tell(parts: Sequence[str], waits: Sequence[asyncio.Future[float]], by_one: float, by_all: float) -> bool:
    """Print what was measured."""
    print(f"\njobs run {'in the process that answers' if len(parts) == 1 else 'in another process'}")
    for number, kind in enumerate(("Prefer: wait", "event stream")):
        ended = [each for each in waits[number::2] if each.done() and each.exception() is None]
        figures = percentiles([each.result() for each in ended]) if ended else {"p50_ms": 0, "p99_ms": 0}
        print(
            f"  {kind:14} {len(ended):5} of {len(waits[number::2])} got their event,"
            f" p50 {figures['p50_ms']:6.1f} ms, p99 {figures['p99_ms']:6.1f} ms after the end"
        )
    print(f"  reads by the watcher: {by_one:.1f} a second with 1 client, {by_all:.1f} with {len(waits)}", flush=True)
    return all(each.done() and each.exception() is None for each in waits)


def main() -> int:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Measure what waiting for jobs over HTTP takes.")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=3.0, help="for which reads are counted")
    asked = parser.parse_args()
    print(f"{asked.store}: {asked.clients} clients, jobs of {NAP:g} s, 50 at once", flush=True)
    good = True
    with server_for(asked.store) as server, asyncio.Runner(loop_factory=new_event_loop) as runner:
        for parts in (["both"], ["answers", "works"]):
            with place(server) as url:
                if is_postgres(url):
                    migrate(url)
                good &= runner.run(measure(url, parts, asked.clients, asked.seconds))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
