"""What a deep queue costs Ferryman: claims, the memory of who enqueues, and a transaction that commits late.

    python -m benchmarks.postgres.backlog [--backlogs 1000,1000000,5000000] [--server URL] [--json FILE]

Every measure is a fresh process on a fresh database. It prints measurements, and judges nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.postgres.places import SQLITE, add_options, measured, server_of
from benchmarks.postgres.server import shown

HOUR = 3600.0


def claims(server: str, backlogs: list[int], count: int) -> dict[str, dict[str, float]]:
    """Claims of 100 jobs, at each depth."""
    told: dict[str, dict[str, float]] = {}
    for backlog in backlogs:
        figures = measured(server, "backlog_run", "claims", backlog, "--claims", count, timeout=HOUR)
        told[str(backlog)] = figures
        waits = f"p50 {figures['p50_ms']:.2f} ms, p99 {figures['p99_ms']:.2f} ms"
        filled = f"filled at {figures['filled_per_second']:,.0f} jobs/s"
        print(f"claim of 100 of {backlog:>9,} jobs: {waits}  ({filled})", flush=True)
    return told


def memory(server: str, count: int) -> dict[str, float]:
    """A program that enqueues many."""
    figures: dict[str, float] = measured(server, "backlog_run", "memory", count, timeout=HOUR)
    print(
        f"enqueue_many of {count:,} jobs: RSS {figures['before_mib']:.1f} MiB before, at most "
        f"{figures['grown_mib']:.1f} MiB more, {figures['per_second']:,.0f} jobs/s",
        flush=True,
    )
    return figures


def late(server: str, count: int, hold: float) -> dict[str, float]:
    """A transaction that commits late."""
    seconds = 0.0 if server == SQLITE else hold
    figures: dict[str, float] = measured(server, "backlog_run", "late", count, "--hold", seconds, timeout=HOUR)
    print(
        f"a transaction of {count:,} jobs, held for {seconds:g} s while {figures['jobs_while_held']:,.0f} others were "
        f"claimed (p50 {figures['held_p50_ms']:.2f} ms, p99 {figures['held_p99_ms']:.2f} ms): all claimed "
        f"{figures['seconds_until_claimed']:.2f} s after its commit, at most {figures['largest_claim']:.0f} at once, "
        f"p50 {figures['after_p50_ms']:.2f} ms, slowest {figures['slowest_ms']:.2f} ms",
        flush=True,
    )
    return figures


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Measure Ferryman with a deep queue.")
    parser.add_argument("--backlogs", default="1000,1000000,5000000", help="how many jobs are pending, by commas")
    parser.add_argument("--claims", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1_000_000, help="how many jobs enqueue_many is given")
    parser.add_argument("--late", type=int, default=50_000, help="how many jobs the late transaction brings")
    parser.add_argument("--hold", type=float, default=5.0, help="seconds for which that transaction is open")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    add_options(parser)
    options = parser.parse_args()
    with server_of(options) as server:
        around = {} if server == SQLITE else shown(server)
        print(json.dumps(around))
        results = {
            "server": around,
            "claims": claims(server, [int(backlog) for backlog in options.backlogs.split(",")], options.claims),
            "memory": memory(server, options.jobs),
            "late": late(server, options.late, options.hold),
        }
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
