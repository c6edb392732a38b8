"""POST /jobs beside a FastAPI endpoint that does one insert which is as durable, in turns.

    python -m benchmarks.posts --store sqlite --rounds 5
    python -m benchmarks.posts --store postgres --rounds 5

64 connections from one process, each sending one request after the other; requests a second and the 99th percentile.
Ferryman is measured twice: where the jobs are stored and wait, which is what FastAPI does with its rows, and where
the same process runs them as well. It prints measurements, and judges nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import spread
from benchmarks.postgres.server import durable_server, fresh_database
from benchmarks.postgres.stores import migrate
from ferryman.testing.serving import Server

ROOT: Final = Path(__file__).parents[1]
CONNECTIONS: Final = 64
STORES: Final = "POST /jobs, stored"
RUNS: Final = "POST /jobs, stored and run"
PEER: Final = "FastAPI, one insert"


@contextlib.contextmanager
def served(database: str, settings: Mapping[str, object]) -> Iterator[Server]:
    """A server of ours on a database."""
    with tempfile.TemporaryDirectory(prefix="ferryman-bench-") as folder:
        wanted = {"DATABASE_URL": database, "JOB_QUEUE_CAPACITY": 1000, **settings}
        server = Server(ROOT / "benchmarks/target.py", Path(folder, "unused.db"), wanted)
        with server.process:
            try:
                yield server
            finally:
                server.stop()


@contextlib.contextmanager
def ferryman(database: str, settings: Mapping[str, object]) -> Iterator[str]:
    """The URL of such a server."""
    with served(database, settings) as server:
        yield server.url


@contextlib.contextmanager
def fastapi(database: str) -> Iterator[str]:
    """The peer, by uvicorn with httptools and uvloop, without a log of requests."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        command = [sys.executable, "-m", "uvicorn", "benchmarks.fastapi_site:app", "--fd", str(listener.fileno())]
        options = ["--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning"]
        site = subprocess.Popen(
            [*command, *options],
            cwd=ROOT,
            env={**os.environ, "SITE_DATABASE_URL": database},
            pass_fds=(listener.fileno(),),
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            site.terminate()
            site.wait(30)


def loaded(url: str, requests: int) -> dict[str, Any]:
    """What `benchmarks.load` finds."""
    _load(url, requests // 10)  # warms up
    return _load(url, requests)


def _load(url: str, requests: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.load", url, "--requests", str(requests)]
    options = ["--connections", str(CONNECTIONS)]
    result = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    figures: dict[str, Any] = json.loads(result.stdout)
    return figures


def measure(databases: Sequence[str], requests: int) -> dict[str, dict[str, Any]]:
    """One round, each side on a fresh database."""
    ours, other, peer_s = databases
    found = {}
    for name, side in (
        (STORES, ferryman(ours, {"QUEUES": "nobody"})),
        (RUNS, ferryman(other, {})),
        (PEER, fastapi(peer_s)),
    ):
        with side as url:
            found[name] = loaded(url, requests)
    return found


@contextlib.contextmanager
def fresh(store: str, server: str) -> Iterator[Sequence[str]]:
    """Three databases without rows, the third without tables."""
    if store == "postgres":
        with contextlib.ExitStack() as stack:
            names = (f"ferryman_bench_{os.getpid()}_{number}" for number in range(3))
            urls = [stack.enter_context(fresh_database(server, name)) for name in names]
            for url in urls[:2]:
                migrate(url)
            yield urls
    else:
        with tempfile.TemporaryDirectory(prefix="ferryman-bench-") as folder:
            yield f"sqlite:///{folder}/one.db", f"sqlite:///{folder}/two.db", f"{folder}/peer.db"


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.posts")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20_000)
    options = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {STORES: [], RUNS: [], PEER: []}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(durable_server()) if options.store == "postgres" else ""
        for _ in range(options.rounds):
            with fresh(options.store, server) as databases:
                for name, figures in measure(databases, options.requests).items():
                    found[name].append(figures)
    print(
        f"{options.store}: {CONNECTIONS} connections, {options.requests} requests, median (range) of {options.rounds}"
    )
    for name, rounds in found.items():
        rate = spread([each["per_second"] for each in rounds])
        slowest = spread([each["p99_ms"] for each in rounds], 1)
        ratio = statistics.median(
            ours["per_second"] / peer_s["per_second"] for ours, peer_s in zip(rounds, found[PEER], strict=True)
        )
        print(f"{name:28} {rate:>28}/s   p99 {slowest} ms   {ratio:.2f} x FastAPI")


if __name__ == "__main__":
    main()
