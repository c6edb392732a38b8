"""What a change costs: this tree and an older commit, measured in turns on the same machine.

    make bench BEFORE=9374351                   (python -m benchmarks.before_after 9374351 --rounds 10)
    make bench BEFORE=9374351 STORE=postgres    (... --store postgres: on a durable server of its own)

Each commit measures itself, with its own code and its own benchmarks, every time in a fresh process on a fresh file;
what it imports is what is installed here. In every other round the older one goes first. The interval is the
middle 95 % of the geometric means of 10,000 samples drawn from the rounds' ratios (a bootstrap). It prints
measurements, and judges nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.figures import spread
from benchmarks.postgres.places import place
from benchmarks.postgres.server import durable_server
from ferryman.testing.serving import Server

ROOT = Path(__file__).parents[1]
SAMPLES = 10_000
Measure = Callable[[Path], float]


def in_process(arguments: str, figure: str) -> Measure:
    """One of the measures of `ferryman_side`."""

    def measure(tree: Path) -> float:
        command = [sys.executable, "-m", "benchmarks.ferryman_side", *arguments.split()]
        with importing(tree):
            result = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True, timeout=300)
        return float(json.loads(result.stdout.splitlines()[-1])[figure])

    return measure


def posts(tree: Path) -> float:
    """POST /jobs over 50 connections; whoever sends is the same for both."""
    with tempfile.TemporaryDirectory(prefix="ferryman-bench-") as folder:
        with importing(tree):
            server = Server(tree / "benchmarks/target.py", Path(folder, "posts.db"), {"JOB_QUEUE_CAPACITY": 1000})
        try:
            command = [sys.executable, "-m", "benchmarks.load", server.url, "--requests", "30000"]
            result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
        finally:
            server.stop()
    return float(json.loads(result.stdout)["per_second"])


def on_postgres(server: str, arguments: str, figure: str) -> Measure:
    """One of the measures of `postgres.ferryman_side`, each time on a fresh database."""

    def measure(tree: Path) -> float:
        with place(server) as url, importing(tree):
            command = [sys.executable, "-m", "benchmarks.postgres.ferryman_side", url, *arguments.split()]
            result = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True, timeout=600)
        return float(json.loads(result.stdout.splitlines()[-1])[figure])

    return measure


def postgres_measures(server: str) -> dict[str, tuple[Measure, bool]]:
    """What is measured on a server."""
    return {
        "enqueue, one at a time /s": (on_postgres(server, "enqueue 3000", "per_second"), True),
        "enqueue, 50 tasks awaiting /s": (on_postgres(server, "enqueue 30000 --callers 50", "per_second"), True),
        "bulk through /s": (on_postgres(server, "through 100000", "per_second"), True),
        "drain /s": (on_postgres(server, "drain 200000", "ended_per_second"), True),
    }


MEASURES: dict[str, tuple[Measure, bool]] = {
    # name: how it is measured, and whether more is better
    "enqueue, one at a time /s": (in_process("enqueue 5000", "per_second"), True),
    "enqueue, 50 tasks awaiting /s": (in_process("enqueue50 50000", "per_second"), True),
    "bulk through /s": (in_process("through 200000", "per_second"), True),
    "drain /s": (in_process("drain 200000", "per_second"), True),
    "POST /jobs /s": (posts, True),
    "idle, enqueue to start, p50 us": (lambda tree: 1000 * in_process("idle 200", "p50_ms")(tree), False),
}


@contextmanager
def importing(tree: Path) -> Iterator[None]:
    """What is started in the block imports Ferryman from this tree."""
    os.environ["PYTHONPATH"] = str(tree / "src")
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """The files of a commit, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="ferryman-before-") as name:
        archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", name], input=archive.stdout, check=True)
        yield Path(name)


def interval(ratios: Sequence[float], random: random.Random) -> tuple[float, float, float]:
    """The geometric mean of ratios, and where 95 % of such means lie."""
    logs = [math.log(ratio) for ratio in ratios]
    means = sorted(statistics.fmean(random.choices(logs, k=len(logs))) for _ in range(SAMPLES))
    low, high = means[int(SAMPLES * 0.025)], means[int(SAMPLES * 0.975)]
    return math.exp(statistics.fmean(logs)), math.exp(low), math.exp(high)


def compare(before: Path, rounds: int, measures: Mapping[str, tuple[Measure, bool]]) -> None:
    """Every measure, both trees in turns."""
    print(f"{'':32} {'before':>28} {'after':>28}   better by (95 %)")
    for name, (measure, more_is_better) in measures.items():
        old: list[float] = []
        new: list[float] = []
        for number in range(rounds):
            turns = [(before, old), (ROOT, new)]
            for tree, figures in turns if number % 2 else reversed(turns):
                figures.append(measure(tree))
        ratios = [after / was if more_is_better else was / after for was, after in zip(old, new, strict=True)]
        mean, low, high = (100 * (ratio - 1) for ratio in interval(ratios, random.Random(0)))
        print(f"{name:32} {spread(old):>28} {spread(new):>28}   {mean:+.1f} % ({low:+.1f} .. {high:+.1f})", flush=True)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Measure this tree and an older commit in turns.")
    parser.add_argument("before", help="the older commit")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--only", default="", help="only the measures with these words in their names")
    options = parser.parse_args()
    with ExitStack() as stack:
        before = stack.enter_context(checkout(options.before))
        measures = MEASURES
        if options.store == "postgres":
            measures = postgres_measures(stack.enter_context(durable_server(None)))
        compare(before, options.rounds, {name: each for name, each in measures.items() if options.only in name})


if __name__ == "__main__":
    main()
