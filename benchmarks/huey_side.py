"""Huey on SQLite, with fsync on, doing the same work: the peer that also runs on one file.

    python -m benchmarks.huey_side enqueue|drain|idle COUNT

Prints one JSON line. The handler only notes when it started. One worker thread drains fastest here:
more of them only contend for the interpreter lock and the file.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import threading
import time
from pathlib import Path

from huey import SqliteHuey  # type: ignore[import-untyped]

from benchmarks.figures import percentiles

TEXT = "x" * 180


def main() -> None:
    """Run one measure."""
    measure, count = sys.argv[1], int(sys.argv[2])
    workers = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    logging.getLogger("huey").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="huey-bench-") as folder:
        huey = SqliteHuey(filename=str(Path(folder) / "huey.db"), fsync=True, results=False)
        starts: list[float] = []
        started = threading.Event()
        finished = threading.Event()

        @huey.task()  # type: ignore[untyped-decorator]
        def noop(text: str) -> None:  # noqa: ARG001 - the same payload
            starts.append(time.perf_counter())
            started.set()
            if len(starts) == count:
                finished.set()

        began = time.perf_counter()
        if measure in ("enqueue", "drain"):
            for _ in range(count):
                noop(TEXT)
        if measure == "enqueue":
            print(json.dumps({"per_second": count / (time.perf_counter() - began)}))
            return
        consumer = huey.create_consumer(workers=workers, periodic=False, initial_delay=0.001, max_delay=0.1)
        consumer.start()
        if measure == "drain":
            finished.wait()
            print(json.dumps({"per_second": (count - 1) / (starts[-1] - starts[0])}))
        else:
            waits = []
            for _ in range(count):
                threading.Event().wait(0.02)
                started.clear()
                sent = time.perf_counter()
                noop(TEXT)
                started.wait()
                waits.append(starts[-1] - sent)
            print(json.dumps(percentiles(waits)))
        consumer.stop(graceful=False)


if __name__ == "__main__":
    main()
