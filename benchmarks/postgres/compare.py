"""Ferryman and its peers on one PostgreSQL, with the same work.

    python -m benchmarks.postgres.compare --rounds 5 [--only drain] [--server URL] [--scale 0.1] [--json FILE]

Starts a durable server of its own unless it is given one. Every measure is a fresh process on a fresh database; the
sides take turns, and the median of all rounds is shown with its range. It prints measurements, and judges nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import fdatasync
from benchmarks.postgres.places import SQLITE, add_options, measured, server_of
from benchmarks.postgres.server import shown

LIBRARIES = ("ferryman", "pgqueuer", "chancy", "procrastinate", "asyncpg", "psycopg", "uvloop")
Runs = dict[str, list[dict[str, float]]]
"""Side -> what each round of one measure said."""


class Side(NamedTuple):
    """One column of the table."""

    name: str
    module: str
    settings: str = ""


class Figure(NamedTuple):
    """One line of the table, out of what a measure says."""

    key: str
    unit: str
    suffix: str = ""


class Measure(NamedTuple):
    """What is measured, and how many jobs each side is given: about as many as it does in some seconds."""

    name: str
    arguments: str
    figures: Sequence[Figure]
    jobs: Mapping[str, int]


QUICKSTART = "--with batch=10 --with connections=1 --with worker_connections=1 --with autovacuum=false"
SIDES = (
    Side("Ferryman", "ferryman_side"),
    Side("PgQueuer", "pgqueuer_side"),
    Side("PgQueuer default", "pgqueuer_side", QUICKSTART),
    Side("chancy", "chancy_side"),
    Side("Procrastinate", "procrastinate_side"),
)


def jobs(ferryman: int, pgqueuer: int, default: int, chancy: int, procrastinate: int) -> dict[str, int]:
    """In the order of `SIDES`."""
    counts = (ferryman, pgqueuer, default, chancy, procrastinate)
    return {side.name: count for side, count in zip(SIDES, counts, strict=True)}


RATE = (Figure("per_second", "jobs/s"),)
WAIT = (Figure("p50_ms", "ms", ", p50"), Figure("p99_ms", "ms", ", p99"))
DRAIN = (
    Figure("ended_per_second", "jobs/s", ", to the last committed end"),
    Figure("per_second", "jobs/s", ", to the last start"),
)
MEMORY = Figure("rss", "MiB", ", RSS of the worker afterwards")
MEASURES = (
    Measure("enqueue, 1 caller", "enqueue", RATE, jobs(3000, 3000, 3000, 3000, 3000)),
    Measure("enqueue, 50 callers", "enqueue --callers 50", RATE, jobs(20000, 5000, 5000, 5000, 5000)),
    Measure("enqueue, 1,000 callers", "enqueue --callers 1000", RATE, jobs(50000, 5000, 5000, 5000, 5000)),
    Measure("bulk enqueue", "bulk", RATE, jobs(200000, 100000, 100000, 20000, 30000)),
    Measure("through (bulk enqueue + run)", "through", RATE, jobs(100000, 30000, 10000, 10000, 2000)),
    Measure("drain, 1 process", "drain", (*DRAIN, MEMORY), jobs(200000, 50000, 10000, 20000, 2000)),
    Measure("drain, 2 processes", "drain --processes 2", DRAIN, jobs(200000, 50000, 10000, 20000, 2000)),
    Measure("idle start in one process", "idle", WAIT, jobs(200, 200, 200, 200, 200)),
    Measure("idle start across processes", "across", WAIT, jobs(200, 200, 200, 200, 200)),
)


def run(side: Side, measure: Measure, server: str, scale: float) -> dict[str, float]:
    """One measure in a process of its own."""
    count = max(1, round(measure.jobs[side.name] * scale))
    name, *rest = measure.arguments.split()
    figures: dict[str, float] = measured(server, side.module, name, count, *rest, *side.settings.split())
    return figures


def compare(
    sides: Sequence[Side], measures: Sequence[Measure], options: argparse.Namespace, server: str
) -> Iterator[tuple[str, Runs]]:
    """Print the table, a line as soon as it is known; gives the runs of each measure."""
    print(f"\n{'':55}" + "".join(f"{side.name:>28}" for side in sides))
    for measure in measures:
        runs: Runs = {side.name: [] for side in sides}
        for number in range(options.rounds):
            for side in sides if number % 2 else reversed(sides):
                runs[side.name].append(run(side, measure, server, options.scale))
        for figure in measure.figures:
            told = (spread([one[figure.key] for one in runs[side.name]]) for side in sides)
            title = f"{measure.name}{figure.suffix} ({figure.unit})"
            print(f"{title:55}" + "".join(f"{text:>28}" for text in told), flush=True)
        yield measure.name, runs


def spread(values: Sequence[float]) -> str:
    """Median and range, with decimals where the numbers are small."""
    middle = statistics.median(values)
    digits = 0 if middle >= 100 else 1 if middle >= 10 else 2
    return f"{middle:,.{digits}f} ({min(values):,.{digits}f} .. {max(values):,.{digits}f})"


def surroundings(server: str) -> dict[str, object]:
    """Machine, versions, and what the server says of its durability."""
    with tempfile.TemporaryDirectory(prefix="ferryman-bench-") as folder:
        disk = fdatasync(Path(folder))
    return {
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "server": {} if server == SQLITE else shown(server),
        "fdatasync_ms": {name: round(value, 3) for name, value in disk.items()},
    }


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Measure Ferryman and its peers on one PostgreSQL.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="measures whose name has this in it")
    parser.add_argument("--sides", default="", help="sides whose name has one of these in it, by commas")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the jobs, to see that it works")
    add_options(parser)
    parser.add_argument("--json", type=Path, help="where to write all figures")
    options = parser.parse_args()
    wanted = "ferryman" if options.server == SQLITE else options.sides.lower()
    sides = [side for side in SIDES if any(part in side.name.lower() for part in wanted.split(","))]
    measures = [measure for measure in MEASURES if options.only in measure.name]
    with server_of(options) as server:
        around = surroundings(server)
        print(json.dumps(around, indent=2))
        results: dict[str, Runs] = {}
        for name, runs in compare(sides, measures, options, server):
            results[name] = runs
            if options.json:
                options.json.write_text(json.dumps({**around, "rounds": options.rounds, "results": results}, indent=2))


if __name__ == "__main__":
    main()
