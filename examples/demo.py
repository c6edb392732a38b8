"""The demonstration: archive every source file of Python's standard library through Ferryman.

Serves `archive.py` on a temporary SQLite file, submits one job per file over HTTP, checks every result
(decompressed and compared byte by byte) and that each file was processed exactly once. Exit code 0 only
if all of it holds, 1 otherwise.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from ferryman.testing.serving import Server

SUBMITTERS = 8
BAR = 40


def main() -> int:
    """Run the demonstration."""
    root = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(path for path in root.rglob("*.py") if "site-packages" not in path.parts)
    with tempfile.TemporaryDirectory(prefix="ferryman-demo-") as name:
        folder = Path(name)
        server = Server(Path(__file__).with_name("archive.py"), folder / "demo.db")
        print(f"{len(files)} files of {root}, archived by {server.url}")
        try:
            started = time.perf_counter()
            ids = submit(server, root, files, folder)
            finish(server, len(ids))
            seconds = time.perf_counter() - started
            jobs = list(server.jobs())
        finally:
            code = server.stop()
        faults = [*check(files, ids, jobs, folder), *([f"the server ended with code {code}"] if code else [])]
        report(jobs, seconds)
    for fault in faults[:20]:
        print(f"FAULT {fault}")
    verdict = "each file was processed exactly once" if not faults else f"{len(faults)} faults"
    print(f"{len(files)} files, {len(jobs)} jobs: {verdict}")
    print(f"To look around while jobs keep coming: {ferryman()} demo --live")
    print("Look: http://127.0.0.1:8080/  (once that runs)")
    return 1 if faults else 0


def ferryman() -> Path:
    """The command of this Python, as one may type it here."""
    command, here = Path(sys.executable).with_name("ferryman"), Path.cwd()
    return command.relative_to(here) if command.is_relative_to(here) else command


def submit(server: Server, root: Path, files: Sequence[Path], folder: Path) -> dict[str, str]:
    """POST one job per file. Returns source -> job id."""

    def one(path: Path) -> tuple[str, str]:
        target = folder / "archive" / f"{path.relative_to(root)}.gz"
        payload = {"source": str(path), "target": str(target), "journal": str(folder / "journal")}
        status, _, answer = server.call("POST", "/jobs", {"type": "archive", "payload": payload})
        if status != 201:
            raise RuntimeError(f"POST /jobs answered {status}: {answer}")
        return str(path), answer["id"]

    with ThreadPoolExecutor(SUBMITTERS) as pool:
        return dict(progress("submitted", len(files), pool.map(one, files)))


def finish(server: Server, count: int) -> None:
    """Wait until nothing is left to run, showing how far it is."""
    bar = Bar("processed", count)
    left = count
    while left:
        _, _, metrics = server.call("GET", "/metrics")
        left = metrics["jobs_pending"] + metrics["jobs_scheduled"] + metrics["jobs_in_progress"]
        bar.show(count - left)
        if left:
            time.sleep(0.05)
    bar.end()


def check(files: Sequence[Path], ids: dict[str, str], jobs: list[dict[str, Any]], folder: Path) -> Iterator[str]:
    """Every way in which a file was not processed exactly once, or not rightly."""
    by_id = {job["id"]: job for job in jobs}
    runs = Counter((folder / "journal").read_text("utf-8").splitlines())
    if len(jobs) != len(files):
        yield f"{len(files)} files, but {len(jobs)} jobs"
    for path in files:
        source = str(path)
        job = by_id.get(ids[source])
        if job is None or job["status"] != "completed":
            yield f"{source}: {job and job['status']} {job and job['error']}"
            continue
        if runs[source] != 1:
            yield f"{source}: ran {runs[source]} times"
        data, result = path.read_bytes(), job["result"]
        if result["checksum"] != hashlib.sha256(data).hexdigest() or result["size"] != len(data):
            yield f"{source}: the checksum or the size is wrong"
        if gzip.decompress(Path(result["target"]).read_bytes()) != data:
            yield f"{source}: the archived file differs"


def report(jobs: list[dict[str, Any]], seconds: float) -> None:
    """Throughput, latency and how the jobs spread over the workers."""
    waits = sorted((when(job["finished_at"]) - when(job["created_at"])) * 1000 for job in jobs if job["finished_at"])
    workers = Counter(job["worker_id"].rpartition("/")[2] for job in jobs if job["worker_id"])
    size = sum(job["result"]["size"] for job in jobs if job["result"])
    print(f"throughput    {len(jobs) / seconds:,.0f} jobs/s, {size / seconds / 1e6:.1f} MB/s, in {seconds:.2f} s")
    if waits:
        p50, p90, p99 = (waits[min(len(waits) - 1, int(len(waits) * share))] for share in (0.5, 0.9, 0.99))
        print(f"POST -> done  p50 {p50:.1f} ms, p90 {p90:.1f} ms, p99 {p99:.1f} ms, longest {waits[-1]:.1f} ms")
    spread = sorted(workers.items(), key=lambda item: int(item[0].rpartition("-")[2]))
    print("per worker    " + ", ".join(f"{name} {count}" for name, count in spread))


def when(text: str) -> float:
    """Seconds of an RFC 3339 time."""
    return datetime.fromisoformat(text).timestamp()


def progress(label: str, total: int, items: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Pass items on, showing how many."""
    bar = Bar(label, total)
    for count, item in enumerate(items, 1):
        bar.show(count)
        yield item
    bar.end()


class Bar:
    """A progress bar on a terminal, silence elsewhere."""

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = total
        self._drawn = -1

    def show(self, count: int) -> None:
        """Draw it, if it would look different."""
        filled = BAR * count // max(1, self._total)
        if sys.stderr.isatty() and (filled != self._drawn or count == self._total):
            self._drawn = filled
            sys.stderr.write(f"\r{self._label:10} [{'#' * filled:<{BAR}}] {count}/{self._total}")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._drawn >= 0:
            sys.stderr.write("\n")


if __name__ == "__main__":
    sys.exit(main())
