"""Move money in `ctx.transaction()` on PostgreSQL while nodes and their server are killed, and connections lost.

    python -m tests.chaos.postgres.money --jobs 3000 --seed 1 [--results FILE.json]

Two nodes move money between rows of the database that has the jobs. The exit code is 0 if the sums are exact, the
ledger has one row for each completion, each has its one follow-up, nothing is left of jobs that have ended, and every
kind of harm was done often enough; else 1.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from tests import results
from tests.chaos.postgres import moves
from tests.chaos.postgres.bank import Bank
from tests.chaos.postgres.server import Server
from tests.chaos.transfers import Verdict
from tests.postgres.proxy import Proxy

EVERY: Final = 60
"""About how many transfers there are between two harms."""


@dataclass
class Found:
    """What came of it."""

    jobs: int
    verdict: Verdict
    server: str = ""
    """Its version."""
    harms: Counter[str] = field(default_factory=Counter[str])
    """How often what was done."""
    cut_off: int = 0
    """Runs whose claim was given back by others, since their node had gone."""
    again: int = 0
    """Runs that failed with the server or their connection, and were made again."""
    left: Mapping[str, int] = field(default_factory=dict[str, int])
    """Rows that should be gone, by table."""
    faults: list[str] = field(default_factory=list[str])


def run(folder: Path, jobs: int, seed: int, *, every: int = EVERY) -> Found:
    """Play it, in a folder of its own."""
    found = Found(jobs, Verdict(0, 0, 0, ()))
    with ExitStack() as stack:
        server = Server()
        stack.callback(server.close)
        server.start()
        moves.open_accounts(server.url)
        bank = Bank(server, stack.enter_context(Proxy(server.node_url)), folder, random.Random(seed))
        stack.callback(bank.close)
        _storm(bank, found, every)
        bank.stop()
        found.faults += [f"a node ended with {code}" for code in bank.codes]
        totals = bank.counts().totals
        found.cut_off, found.again = totals["rescued"], totals["retried"]
        found.server, found.left = server.version, server.left()
        found.verdict = moves.judge(bank.app, server.url)
    found.faults += judge(found)
    return found


def _storm(bank: Bank, found: Found, every: int) -> None:
    """All transfers, with harm among them: each kind once in each round."""
    bank.app.enqueue_many([bank.transfer() for _ in range(found.jobs)])
    bank.start_nodes()
    found.harms = Counter(dict.fromkeys(bank.harms, 0))
    next_ones: list[str] = []
    while bank.middle.hear(bank.dice.randrange(1, 2 * every)) or bank.left():
        next_ones = next_ones or bank.dice.sample(sorted(bank.harms), len(bank.harms))
        name = next_ones.pop()
        found.harms[name] += bank.harms[name]()
    if not bank.wait_until(lambda: not bank.left()):
        found.faults.append(f"{bank.left()} jobs were left")


def judge(found: Found) -> Iterator[str]:
    """What is wrong, in words."""
    yield from found.verdict.wrong
    counts = (found.verdict.completed, found.verdict.ledger, found.verdict.receipts)
    if counts != (found.jobs,) * 3:
        yield f"of {found.jobs} transfers {counts[0]} are completed, {counts[1]} in the ledger, {counts[2]} receipted"
    yield from (f"{count} rows are left in {name}" for name, count in found.left.items())


def rare(found: Found, every: int = EVERY) -> Iterator[str]:
    """What was not done as often as so many transfers leave time for, in words."""
    wanted = found.jobs // (2 * every * len(found.harms))
    few = {name: count for name, count in found.harms.items() if count < wanted}
    yield from (f"only {count} times {name}, of {wanted} that are wanted" for name, count in few.items())


# -- the program -------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Read the options, run, report."""
    options = _options(arguments)
    commit, began = results.commit(), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ferryman-money-"))
    found = run(folder, options.jobs, options.seed)
    found.faults += rare(found)
    told: dict[str, Any] = {
        "seed": options.seed,
        "duration": round(time.monotonic() - began, 1),
        "faults": len(found.faults),
        **{name: value for name, value in vars(found).items() if name not in ("faults", "verdict")},
        **msgspec.to_builtins(found.verdict),
    }
    print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    for fault in found.faults:
        print(fault)
    if options.results is not None:
        results.add(options.results, "money on PostgreSQL", commit, told)
    if found.faults:
        print(f"what the nodes logged is in {folder}")
    else:
        shutil.rmtree(folder)
    print(f"money: seed {options.seed}: {len(found.faults)} faults")
    return int(bool(found.faults))


def _options(arguments: list[str]) -> argparse.Namespace:
    first = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.postgres.money", description=first)
    parser.add_argument("--jobs", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, help="a JSON file, a list, to which the figures are added")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
