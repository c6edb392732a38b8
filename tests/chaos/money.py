"""Move money in `ctx.transaction()` while nodes are killed in the middle of it; then sleep in one, and look who minds.

    python -m tests.chaos.money --jobs 5000 --seed 1 [--results FILE.json]

Two nodes move money between rows of the file that has the jobs. The exit code is 0 if the sums are exact, the ledger
has one row for each completion, handlers that slept in their transaction failed with FM217 and left nothing behind,
and no node lost a claim by that; else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import msgspec

from ferryman.domain.job import Job
from ferryman.domain.state import TERMINAL, Status
from ferryman.store.protocol import JobFilter
from tests import results
from tests.chaos import transfers
from tests.chaos.bank import Bank
from tests.chaos.transfers import SLOW, Verdict

NODES: Final = 2
DEATHS: Final = ("in the middle", "at any time", "both")
"""One in the middle of a transaction, one at any time, both nodes at any time."""
EVERY: Final = 60
"""About how many transfers there are between two deaths."""
LIMIT: Final = 2.0
"""TRANSACTION_TIMEOUT, in seconds."""
SLACK: Final = 1.0
"""Seconds that an enqueue may wait beyond the time that a transaction may last."""
PAUSE: Final = 0.1
"""Seconds between two transfers while handlers sleep."""


@dataclass
class Found:
    """What came of it."""

    jobs: int
    verdict: Verdict
    deaths: Counter[str] = field(default_factory=Counter[str])
    cut_off: int = 0
    """Runs that a death ended."""
    slow: list[str] = field(default_factory=list[str])
    """The error codes with which the slow handlers failed."""
    longest_wait: float = 0.0
    """Seconds that an enqueue took at most while they slept."""
    fenced: int = 0
    """Writes of the two nodes that came too late, and claims that they lost, meanwhile."""
    rescued: int = 0
    faults: list[str] = field(default_factory=list[str])


def run(folder: Path, jobs: int, seed: int, *, every: int = EVERY, naps: int = 3, limit: float = LIMIT) -> Found:
    """Play it, in a folder of its own: `naps` is how often both slow handlers run."""
    with ExitStack() as stack:
        bank = Bank(folder, limit, random.Random(seed))
        stack.callback(bank.close)
        bank.counts()  # makes the file
        transfers.open_accounts(bank.database)
        found = Found(jobs, Verdict(0, 0, 0, ()))
        _storm(bank, found, every)
        _sleepers(bank, found, naps)
        if any(codes := bank.stop()):
            found.faults.append(f"nodes ended with {codes}")
        found.verdict = asyncio.run(transfers.judge(bank.app, bank.database))
    found.faults += judge(found, naps)
    return found


def _storm(bank: Bank, found: Found, every: int) -> None:
    """All transfers, with deaths among them."""
    for _ in range(NODES):
        bank.start_node()
    bank.order()  # before there is anything to do: the very first transaction is cut, however fast the others are
    bank.app.enqueue_many(bank.transfer() for _ in range(found.jobs))
    found.deaths[DEATHS[0]] += bank.carried_out()
    while bank.middle.hear(bank.dice.randrange(1, 2 * every)):
        how = DEATHS[found.deaths.total() % len(DEATHS)]
        found.deaths[how] += bank.kill(how)
    if not bank.wait_until(lambda: not bank.left()):
        found.faults.append(f"{bank.left()} jobs were left")
    found.cut_off = bank.counts().totals["rescued"]


def _sleepers(bank: Bank, found: Found, naps: int) -> None:
    """One slow handler after the other, while transfers go on."""
    fenced, rescued = _fenced(bank), bank.counts().totals["rescued"]
    for call in (call for _ in range(naps) for call in bank.naps()):
        handle = call.enqueue()
        while handle.status() not in TERMINAL:
            began = time.monotonic()
            bank.transfer().enqueue()
            found.longest_wait = max(found.longest_wait, time.monotonic() - began)
            found.jobs += 1
            bank.pause(PAUSE)
    bank.wait_until(lambda: not bank.left())
    found.fenced, found.rescued = _fenced(bank) - fenced, bank.counts().totals["rescued"] - rescued
    slow = JobFilter(types=frozenset(SLOW), limit=1_000_000)
    for job in bank.app._bridge.call(lambda client: client.list(slow), ""):
        found.slow.append(_code(job))


def _code(job: Job) -> str:
    """The code in the message of what the handler raised."""
    codes = re.findall(r"FM\d{3}", job.error.message) if job.error is not None else []
    return codes[0] if job.status is Status.FAILED and codes else job.status.value


def _fenced(bank: Bank) -> int:
    requests = [Request(f"{node.url}/metrics", headers={"Accept": "application/json"}) for node in bank.nodes]
    return sum(_read(request)["fenced_writes"] for request in requests)


def _read(request: Request) -> dict[str, int]:
    with urlopen(request) as answer:
        found: dict[str, int] = json.load(answer)
        return found


def judge(found: Found, naps: int) -> Iterator[str]:
    """What is wrong, in words."""
    yield from found.verdict.wrong
    counts = (found.verdict.completed, found.verdict.ledger, found.verdict.receipts)
    if counts != (found.jobs,) * 3:
        yield f"of {found.jobs} transfers {counts[0]} are completed, {counts[1]} in the ledger, {counts[2]} receipted"
    if found.slow != ["FM217"] * naps * len(SLOW):
        yield f"the handlers that slept in their transaction ended with {found.slow}"
    if found.fenced or found.rescued:
        yield f"while they slept {found.fenced} writes were fenced, and {found.rescued} claims given back"


def late(found: Found, limit: float) -> Iterator[str]:
    """Who waited too long, in words."""
    if found.longest_wait > limit + SLACK:
        yield f"an enqueue waited for {found.longest_wait:.2f} s"


# -- the program -------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Read the options, run, report."""
    options = _options(arguments)
    commit, began = results.commit(), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ferryman-money-"))
    found = run(folder, options.jobs, options.seed)
    faults = [*found.faults, *late(found, LIMIT)]
    told: dict[str, Any] = {
        "seed": options.seed,
        "duration": round(time.monotonic() - began, 1),
        "faults": len(faults),
        **{name: value for name, value in vars(found).items() if name not in ("faults", "verdict", "longest_wait")},
        "longest_wait": round(found.longest_wait, 2),
        **msgspec.to_builtins(found.verdict),
    }
    print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    for fault in faults:
        print(fault)
    if options.results is not None:
        results.add(options.results, "money", commit, told)
    if faults:
        print(f"database and log are in {folder}")
    else:
        shutil.rmtree(folder)
    print(f"money: seed {options.seed}: {len(faults)} faults")
    return int(bool(faults))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.money", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, help="a JSON file, a list, to which the figures are added")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
