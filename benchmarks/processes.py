"""What it costs to run a handler in a thread, and in a worker process.

    python benchmarks/processes.py

Prints the hop, there and back, of a handler that does nothing (median of 2000), and how long a worker process takes
from its start until it has run its first job (median of 5), whose module imports Ferryman and nothing else.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.process_target import app, noop
from ferryman.domain.job import ClaimedJob, Lane
from ferryman.engine.hooks import Hooks
from ferryman.engine.oom import OomKills
from ferryman.engine.processes import HandlerProcess, Processes
from ferryman.engine.threads import HandlerThread
from ferryman.engine.work import Work
from ferryman.program import new_event_loop

HOPS = 2000
STARTS = 5


def work() -> Work:
    """One job, as an executor hands it over."""
    handler = app.registry.get("noop")
    assert handler is not None
    assert handler.origin is not None
    job = ClaimedJob(
        id="01890a5d-ac96-774b-bcce-b302099a8057",
        number=1,
        attempt=1,
        crashes=0,
        interruptions=0,
        batch=1,
        lane=Lane("default", "noop", 5),
        payload="{}",
        max_attempts=5,
        timeout=None,
        created_at=0,
        run_at=None,
        expires_at=None,
        unique_key=None,
        tags=(),
    )
    return Work(handler.origin, job, "node/worker-1", time.monotonic(), None, 0.5)


async def in_thread() -> list[float]:
    """Seconds of each hop."""
    thread = HandlerThread("bench")
    took: list[float] = []
    for _ in range(HOPS):
        began = time.perf_counter()
        await thread.call(noop).answer
        took.append(time.perf_counter() - began)
    thread.end()
    return took


async def in_process(process: HandlerProcess) -> list[float]:
    """Seconds of each hop."""
    took: list[float] = []
    for _ in range(HOPS):
        began = time.perf_counter()
        await process.call(work()).answer
        took.append(time.perf_counter() - began)
    return took


async def main() -> None:
    """The lines."""
    processes = Processes({}, OomKills(), Hooks(), max_result=1024, max_jobs=0, max_rss=0)
    starts: list[float] = []
    blocked: list[float] = []
    process: HandlerProcess | None = None
    for _ in range(STARTS):
        began = time.perf_counter()
        process = processes.start("node/worker-1")
        blocked.append(time.perf_counter() - began)
        answer = await process.call(work()).answer
        assert answer.error is None, answer.error
        starts.append(time.perf_counter() - began)
    assert process is not None
    for name, took in (("thread", await in_thread()), ("process", await in_process(process))):
        print(f"{name:8} hop {statistics.median(took) * 1e6:6.0f} us")
    print(f"process  start {statistics.median(starts) * 1e3:4.0f} ms, of which the event loop stands still "
          f"{statistics.median(blocked) * 1e3:.1f} ms")  # fmt: skip
    await processes.stop(5.0)


if __name__ == "__main__":
    new_event_loop().run_until_complete(main())
