"""Jobs with keys in a fresh process: how fast they come in, and how fast a node drains them.

    python -m benchmarks.keyed_side URL plain|counted|limited|shared COUNT [--keys 10000] [--late 10]

Prints one JSON line. The node is what `ferryman serve` runs, with 10 workers and room for 1,000 jobs in the channel.
Whatever the rule, the jobs have the same arguments.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.inprocess import serving, settings_for
from benchmarks.postgres.server import settle
from benchmarks.postgres.starts import TEXT, Starts
from benchmarks.postgres.stores import migrate
from ferryman import Ferryman, PerKey
from ferryman.declare import JobOptions
from ferryman.program import new_event_loop

RULES: Mapping[str, PerKey | None] = {
    "plain": None,
    "counted": PerKey("key"),  # a key that bounds nothing: what it costs to have one
    "limited": PerKey("key", concurrency=1),
    "shared": PerKey("key", share=1),
}


class Work:
    """The app under test: a handler that only notes when it started."""

    def __init__(self, url: str, rule: PerKey | None) -> None:
        self.settings = settings_for(Path.cwd(), database_url=url, job_queue_capacity=1000)
        self.app = Ferryman(url)
        self.starts = starts = Starts()
        declared: JobOptions = {} if rule is None else {"per_key": rule}

        @self.app.job(**declared)
        async def noop(key: str, text: str) -> None:  # noqa: ARG001 - a payload, as jobs have one
            starts.note()

        self.noop = noop


def keys_of(count: int, keys: int, late: int) -> Iterator[str]:
    """The key of each job: all keys in turns, but the last jobs have one of their own."""
    for number in range(count):
        yield "late" if number >= count - late else str(number % keys)


async def insert(work: Work, keys: Iterator[str]) -> float:
    """Jobs a second; no worker runs. The first one opens the way to the store, and does not count."""
    await work.noop.aenqueue(next(keys), TEXT)
    began = time.monotonic()
    count = await work.app.aenqueue_many(work.noop.call(key, TEXT) for key in keys)
    return count / (time.monotonic() - began)


async def drain(work: Work, count: int) -> float:
    """Jobs a second, from the first start of a handler to the last commit."""
    async with serving(work.app, work.settings) as (_, ends):
        await ends.reach(count)
        return count / (time.monotonic() - work.starts.times[0])


async def measure(url: str, rule: PerKey | None, keys: Iterator[str], count: int) -> dict[str, float]:
    """Both, in an empty database."""
    work = Work(url, rule)
    try:
        inserted = await insert(work, keys)
    finally:
        work.app.close()
    await settle(url)
    return {"inserted": inserted, "drained": await drain(work, count)}


def main() -> None:
    """Run one measure."""
    parser = argparse.ArgumentParser(description="Insert and drain jobs with keys.")
    parser.add_argument("url")
    parser.add_argument("rule", choices=RULES)
    parser.add_argument("count", type=int)
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--late", type=int, default=0, help="so many of them come last, with a key of their own")
    asked = parser.parse_args()
    migrate(asked.url)
    keys = keys_of(asked.count, asked.keys, asked.late)
    measured = measure(asked.url, RULES[asked.rule], keys, asked.count)
    print(json.dumps(new_event_loop().run_until_complete(measured)))


if __name__ == "__main__":
    main()
