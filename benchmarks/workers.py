"""How close N workers come to N times one worker.

    python benchmarks/workers.py

100 one-second jobs with 1 worker (scaled: 10 of them), 10 and 100 workers; then 10,000 jobs of 10 ms with
1,000 workers. Prints ideal and measured times, that each job ran exactly once, and how the jobs spread
over the workers. Exit code 1 if a job did not run exactly once.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.inprocess import serving, settings_for
from ferryman import Context, Ferryman
from ferryman.main import Server
from ferryman.program import new_event_loop
from ferryman.store.protocol import JobFilter


async def measure(workers: int, jobs: int, seconds: float, folder: Path) -> bool:
    """One line of the table. Returns whether each job ran exactly once."""
    app = Ferryman()
    runs: Counter[str] = Counter()

    @app.job_with_context
    async def nap(ctx: Context, seconds: float) -> None:
        runs[ctx.job.id] += 1
        await asyncio.sleep(seconds)

    folder.mkdir()  # noqa: ASYNC240 - before the clock runs
    settings = settings_for(folder, worker_count=workers)
    async with serving(app, settings) as (server, ends):
        began = time.perf_counter()
        await app.aenqueue_many(nap.call(seconds) for _ in range(jobs))
        await ends.reach(jobs)
        took = time.perf_counter() - began
        spread = await per_worker(server)
    ideal = jobs * seconds / workers
    once = len(runs) == jobs and set(runs.values()) == {1}
    print(
        f"{workers:5} workers  {jobs:6} jobs of {seconds:g} s  ideal {ideal:6.2f} s  took {took:6.2f} s"
        f"  overhead {(took / ideal - 1) * 100:5.1f} %  each once: {'yes' if once else 'NO'}"
        f"  jobs per worker {min(spread)} .. {max(spread)}, {len(spread)} workers used",
        flush=True,
    )
    return once


async def per_worker(server: Server) -> list[int]:
    """How many jobs each worker ran."""
    counts: Counter[str | None] = Counter()
    after: str | None = None
    while page := await server.client.list(JobFilter(after=after)):
        counts.update(job.worker_id for job in page)
        after = page[-1].id
    return list(counts.values())


async def main() -> int:
    """The table."""
    with tempfile.TemporaryDirectory(prefix="ferryman-workers-") as name:
        folder = Path(name)
        lines = [(1, 10, 1.0), (10, 100, 1.0), (100, 100, 1.0), (1000, 10_000, 0.01)]
        once = [await measure(*line, folder / f"{line[0]}") for line in lines]
    return 0 if all(once) else 1


if __name__ == "__main__":
    loop = new_event_loop()
    sys.exit(loop.run_until_complete(main()))
