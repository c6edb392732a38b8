"""Whose turn it is: one tenant has many jobs, and another one comes after it with a few.

    python -m benchmarks.shares --store sqlite|postgres|memory [--jobs 100000] [--late 10] [--claim 100] [--rounds 3]

Whose turn it is only the store decides: so the order is that of what its claims gave out, one after the other, and
those rates are of its verbs alone. What a whole node drains is measured after that, but for memory: each of its drains
is a process of its own, which could not see what another has filled. It prints measurements, and judges nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from benchmarks.figures import spread
from benchmarks.keys import in_turns
from benchmarks.postgres.places import place, server_for
from benchmarks.postgres.server import settle
from benchmarks.postgres.stores import StoreNode, migrate
from ferryman.domain.keys import GateRule
from ferryman.program import new_event_loop
from ferryman.store.factory import is_postgres

CHUNK = 1000
"""Jobs in one insert, and keys in one look at the gates."""
WEIGHT = 3
"""That of the first tenant where the weights differ; the other one's is 1."""
KINDS: dict[str, GateRule | None] = {"no keys": None, "keys": GateRule(), "shares": GateRule(share=1)}


class Backlog(NamedTuple):
    """What one tenant has handed in before anything is claimed."""

    tenant: str
    jobs: int
    rule: GateRule | None
    """None: its jobs have no key."""


class Drained(NamedTuple):
    """What the claims gave out."""

    order: Sequence[bool]
    """For each job in the order of the claims, whether it is of the tenant who came last."""
    per_second: float


# -- the order ---------------------------------------------------------------------------------------


def before_first(order: Sequence[bool]) -> int:
    """How many claims came before the first one of the other tenant."""
    return list(order).index(True)


def most_between(order: Sequence[bool]) -> int:
    """The largest number of claims between two of the other tenant."""
    places = [place for place, other in enumerate(order) if other]
    return max((after - before - 1 for before, after in pairwise(places)), default=0)


def while_both_wait(order: Sequence[bool]) -> Sequence[bool]:
    """The claims up to the last one of the tenant whose jobs were used up first."""
    alone = next(count for count, other in enumerate(reversed(order)) if other is not order[-1])
    return order[: len(order) - alone]


def furthest(order: Sequence[bool], weight: int) -> int:
    """By how many claims the first tenant was ahead of `weight` for each of the other's, or behind, at most."""
    return max(abs(ahead) for ahead in accumulate(-weight if other else 1 for other in order))


# -- the claims --------------------------------------------------------------------------------------


async def fill(node: StoreNode, backlog: Backlog) -> set[str]:
    """Hand a backlog in; gives its ids."""
    ids: set[str] = set()
    key = None if backlog.rule is None else backlog.tenant
    for done in range(0, backlog.jobs, CHUNK):
        ids.update(await node.insert(min(CHUNK, backlog.jobs - done), key, backlog.rule))
    return ids


async def empty(node: StoreNode, count: int, limit: int) -> list[str]:
    """Claim and complete so many jobs; gives their ids in the order of the claims."""
    claimed: list[str] = []
    while len(claimed) < count:
        batch = await node.claim(limit)
        if batch.jobs:
            await node.complete(batch)
            claimed += [job.id for job in batch.jobs]
        elif not (await node.store.admit(node.now, CHUNK)).count:
            raise RuntimeError(f"{count - len(claimed)} jobs are left, and nobody may claim them.")
    return claimed


async def drain(url: str, first: Backlog, other: Backlog, limit: int) -> Drained:
    """Both backlogs, from the first claim to the last commit."""
    node = StoreNode(url)
    await node.open()
    try:
        await fill(node, first)
        others = await fill(node, other)
        await settle(url)
        began = time.monotonic()
        claimed = await empty(node, first.jobs + other.jobs, limit)
        took = time.monotonic() - began
    finally:
        await node.close()
    return Drained([id in others for id in claimed], len(claimed) / took)


def drained(server: str, first: Backlog, other: Backlog, limit: int) -> Drained:
    """A drain in an empty database."""
    with place(server) as url, asyncio.Runner(loop_factory=new_event_loop) as runner:
        if is_postgres(url):  # the others make their tables themselves
            migrate(url)
        return runner.run(drain(url, first, other, limit))


# -- the table ---------------------------------------------------------------------------------------


def late_comer(server: str, asked: argparse.Namespace) -> None:
    """How long the other tenant waits without shares and with them, and what the store's verbs take for it."""
    print(f"\n{'claims':16} {'before its first':>18} {'most between two':>18} {'jobs per second':>18}", flush=True)
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(asked.rounds):
        for kind in reversed(KINDS) if number % 2 else KINDS:
            rule = KINDS[kind]
            ran = drained(server, Backlog("a", asked.jobs, rule), Backlog("b", asked.late, rule), asked.claim)
            waited, between = before_first(ran.order), most_between(ran.order)
            print(f"{kind:16} {waited:>18,} {between:>18,} {ran.per_second:>18,.0f}", flush=True)
            rates[kind].append(ran.per_second)
    for kind in ("keys", "shares"):
        ratios = [rate / without for rate, without in zip(rates[kind], rates["no keys"], strict=True)]
        print(f"{kind} to no keys, the store's verbs: {spread(ratios, 2)}", flush=True)


def weighted(server: str, asked: argparse.Namespace) -> None:
    """How the claims are divided between two tenants who both have many jobs."""
    first = Backlog("a", asked.jobs, GateRule(share=WEIGHT))
    other = Backlog("b", max(1, asked.jobs // (WEIGHT + 1)), GateRule(share=1))
    order = while_both_wait(drained(server, first, other, asked.claim).order)
    theirs = sum(order)
    ours = len(order) - theirs
    print(
        f"\nshares {WEIGHT} to 1, {first.jobs:,} and {other.jobs:,} jobs: {ours:,} claims to {theirs:,} while both wait"
        f" ({ours / theirs if theirs else float('inf'):.3f}), never more than {furthest(order, WEIGHT):,} off",
        flush=True,
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Measure whose turn it is, and what that costs.")
    parser.add_argument("--store", choices=["sqlite", "postgres", "memory"], default="sqlite")
    parser.add_argument("--jobs", type=int, default=100_000, help="of the tenant who comes first")
    parser.add_argument("--late", type=int, default=10, help="of the one who comes after it")
    parser.add_argument("--claim", type=int, default=100, help="jobs that a claim takes")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with server_for(asked.store) as server:
        print(f"{asked.store}: {asked.jobs:,} jobs of one tenant, then {asked.late:,} of another")
        late_comer(server, asked)
        weighted(server, asked)
        if asked.store != "memory":
            arguments = f"{asked.jobs + asked.late} --keys 1 --late {asked.late}"
            in_turns(server, ["counted", "shared"], arguments, asked.rounds)


if __name__ == "__main__":
    main()
