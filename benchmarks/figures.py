"""Arithmetic on measurements."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of an ordered sequence lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return {"p50_ms": percentile(ordered, 0.5) * 1000, "p99_ms": percentile(ordered, 0.99) * 1000}


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median and range, for people."""
    middle, low, high = (f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({low} .. {high})"


def fdatasync(folder: Path, count: int = 1000) -> dict[str, float]:
    """How long the disk takes to make 4 KiB durable: the floor of every durable write."""
    path = folder / "fdatasync.bin"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    block = b"x" * 4096
    os.write(descriptor, block * 64)
    os.fsync(descriptor)
    times = []
    for number in range(count):
        os.pwrite(descriptor, block, number % 64 * 4096)
        began = time.perf_counter()
        os.fdatasync(descriptor)
        times.append(time.perf_counter() - began)
    os.close(descriptor)
    path.unlink()
    return percentiles(times)


def resident(pid: int) -> float:
    """MiB of memory that a process has in RAM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
