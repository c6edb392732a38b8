"""What Ferryman costs on this machine, with Huey on SQLite beside it on the same work.

    make bench            (python -m benchmarks.bench; JOBS=n changes the long run of the memory measure)

Every measure is a fresh process on a fresh file; where both systems have it they take turns, and the
median of five rounds is shown with its range. It prints measurements, and judges nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from benchmarks.figures import fdatasync, resident, spread
from benchmarks.target import app, noop
from ferryman.testing.serving import Server

ROOT = Path(__file__).parents[1]
ROUNDS = 5
TEXT = "x" * 180
RATES = [
    # measure, jobs for Ferryman, measure of Huey, jobs for Huey
    ("enqueue, one at a time", "enqueue 5000", "enqueue 5000"),
    ("enqueue, 50 tasks awaiting", "enqueue50 50000", None),
    ("enqueue, 1,000 tasks awaiting", "enqueue1000 100000", None),
    ("bulk through (enqueue + run)", "through 200000", None),
    ("drain", "drain 200000", "drain 20000"),
]


def side(module: str, arguments: str) -> dict[str, float]:
    """One measure in a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments.split()]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    figures: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return figures


def rates() -> None:
    """Jobs per second, in turns."""
    print(f"\n{'jobs per second':32} {'Ferryman':>32} {'Huey':>32} {'ratio':>7}")
    for name, ours, theirs in RATES:
        own: list[float] = []
        peer: list[float] = []
        for _ in range(ROUNDS):
            own.append(side("ferryman_side", ours)["per_second"])
            if theirs:
                peer.append(side("huey_side", theirs)["per_second"])
        ratio = f"{statistics.median(own) / statistics.median(peer):.1f}" if peer else ""
        print(f"{name:32} {spread(own):>32} {spread(peer) if peer else '-':>32} {ratio:>7}", flush=True)


def idle() -> None:
    """How long an idle system takes from the call of enqueue to the start of the handler."""
    ours = [side("ferryman_side", "idle 200") for _ in range(ROUNDS)]
    theirs = [side("huey_side", "idle 200") for _ in range(ROUNDS)]
    for name, runs in (("Ferryman", ours), ("Huey", theirs)):
        p50, p99 = (statistics.median(run[key] for run in runs) for key in ("p50_ms", "p99_ms"))
        print(f"idle, enqueue to start: {name:10} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms", flush=True)


def posts(folder: Path) -> None:
    """POST /jobs over 50 connections from another process, each answered after its commit."""
    rounds = []
    for number in range(ROUNDS):
        server = Server(ROOT / "benchmarks/target.py", folder / f"posts{number}.db", {"JOB_QUEUE_CAPACITY": 1000})
        try:
            rounds.append(side("load", f"{server.url} --requests 30000 --connections 50"))
        finally:
            server.stop()
    p50, p99 = (statistics.median(run[key] for run in rounds) for key in ("p50_ms", "p99_ms"))
    print(f"POST /jobs: {spread([run['per_second'] for run in rounds])} per second, p50 {p50:.2f} ms, p99 {p99:.2f} ms")


def memory(folder: Path, jobs: int) -> None:
    """RSS of the serve process when it has just started, and after many jobs."""
    database = folder / "memory.db"
    server = Server(ROOT / "benchmarks/target.py", database, {"JOB_QUEUE_CAPACITY": 1000})
    try:
        began = resident(server.process.pid)
        print(f"RSS of serve: idle {began:.1f} MiB", end="", flush=True)
        os.environ["FERRYMAN_DATABASE_URL"] = f"sqlite:///{database}"
        step = max(1, jobs // 4)
        for done in range(0, jobs, step):
            app.enqueue_many(noop.call(TEXT) for _ in range(min(step, jobs - done)))
            _drained(server)
            print(f", {min(jobs, done + step):,} jobs {resident(server.process.pid):.1f} MiB", end="", flush=True)
        app.close()
        print()
    finally:
        server.stop()


def _drained(server: Server) -> None:
    while True:
        _, _, metrics = server.call("GET", "/metrics")
        if not metrics["jobs_pending"] + metrics["jobs_in_progress"]:
            return
        threading.Event().wait(0.2)


def imports() -> None:
    """What `import ferryman` takes beyond starting Python."""
    times = []
    for _ in range(10):
        with_it = _seconds("import ferryman")
        times.append((with_it - _seconds("pass")) * 1000)
    print(f"import ferryman: {statistics.median(times):.0f} ms ({min(times):.0f} .. {max(times):.0f})")


def _seconds(statement: str) -> float:
    code = f"import time, sys; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(result.stdout)


def main() -> None:
    """Everything, in order."""
    parser = argparse.ArgumentParser(description="Measure Ferryman on this machine.")
    parser.add_argument("--jobs", type=int, default=1_000_000, help="jobs of the memory measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ferryman-bench-") as name:
        folder = Path(name)
        disk = fdatasync(folder)
        print(f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
        print(f"fdatasync of 4 KiB: p50 {disk['p50_ms']:.3f} ms, p99 {disk['p99_ms']:.3f} ms")
        rates()
        idle()
        posts(folder)
        memory(folder, options.jobs)
    imports()


if __name__ == "__main__":
    main()
