"""One campaign on PostgreSQL: nodes and a producer, each behind a proxy of its own, clients, and a nemesis of all."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from ferryman.domain.errors import DatabaseReadOnly, StoreBusy, StoreUnreachable
from ferryman.domain.job import MICROS
from ferryman.engine.clock import SystemClock
from ferryman.store.postgres import PostgresStore
from ferryman.store.protocol import Retention
from ferryman.testing.history import History, Terms, final_state
from ferryman.testing.history.entries import AnyEntry, Registered
from ferryman.testing.history.history import Final as FinalState
from tests.chaos.campaign import CLIENTS, EXPECTED, MAX_PENDING, SETTINGS, make_client, play, settled, types
from tests.chaos.clients import Addresses, Caller
from tests.chaos.fleet import Fleet, Slot
from tests.chaos.journal import NEMESIS, Journal, read
from tests.chaos.postgres.harm import Way
from tests.chaos.postgres.nemesis import BEAT, LEASE, FleetNemesis
from tests.chaos.postgres.pooler import LOGIN_RETRY, PARAMETER, Pooler
from tests.chaos.postgres.recoveries import WITHIN
from tests.chaos.postgres.server import Server
from tests.chaos.postgres.sweeps import Sweep
from tests.chaos.postgres.sweeps import read as read_sweeps
from tests.chaos.postgres.troubles import Trouble, Troubles
from tests.chaos.postgres.watched import LOCKS
from tests.chaos.postgres.working import Working
from tests.postgres.proxy import Proxy

NODES: Final = ("a", "b", "c", "d")
PRODUCER: Final = "p"
CALM_SECONDS: Final = 45.0
TROUBLED: Final = frozenset(each.code for each in (DatabaseReadOnly, StoreBusy, StoreUnreachable))
"""What clients are answered while the server, or the way to it, is in trouble."""


@dataclass
class FleetCampaign:
    """What came of it."""

    history: History
    troubles: Sequence[Trouble]
    sweeps: Sequence[Sweep]
    version: str
    """Of the server."""
    complaints: list[str]
    codes: Counter[str] = field(default_factory=Counter[str])
    """Error codes that clients were answered."""


def run(folder: Path, duration: float, seed: int, breakages: Sequence[str], *, pooled: bool = False) -> FleetCampaign:
    """Run it, in a folder of its own, for about `duration` seconds and the time that it takes to settle.

    `pooled`: PgBouncer in transaction mode is between the nodes and their server.
    """
    journals = folder / "journals"
    (journals / LOCKS).mkdir(parents=True)
    with ExitStack() as stack:
        server = Server()
        stack.callback(server.close)
        server.start()
        pooler = stack.enter_context(_pooler(server)) if pooled else None
        target = server.node_url if pooler is None else pooler.url
        proxies = {name: stack.enter_context(Proxy(target)) for name in (*NODES, PRODUCER)}
        journal, addresses, troubles = Journal(journals, NEMESIS), Addresses(), Troubles()
        nodes = [Slot(name, "tests.chaos.node", breakages, _url(proxies[name], pooled)) for name in NODES]
        producers = [Slot(PRODUCER, "tests.chaos.producer", (), _url(proxies[PRODUCER], pooled))]
        fleet = Fleet([*nodes, *producers], journals, environ(), journal, addresses, _excused(troubles, pooled))
        stack.callback(fleet.end)
        own = Caller(Journal(journals, "person"), addresses, random.Random(f"{seed} person"))
        dice, well = random.Random(f"{seed} nemesis"), Working(nodes, journals).watch
        way = Way(server, proxies, pooler)
        nemesis = FleetNemesis(fleet, nodes, producers, own, journal, dice, way, troubles, well)
        clients = [make_client(journals, addresses, seed, number) for number in range(1, CLIENTS + 1)]
        play(fleet, nemesis, clients, partial(settled, own), duration, CALM_SECONDS)
        codes = sum((each.codes for each in [own, *(client.caller for client in clients)]), Counter[str]())
        final = asyncio.run(final_of(server.url, journals, entries := read(journals)))
        version, left = server.version, server.left()
    history = History(entries=entries, final=final, terms=terms(journal))
    complaints = [
        *fleet.complaints,
        *_unexpected(codes),
        *(f"{count} rows are left in {name}" for name, count in left.items()),
    ]
    return FleetCampaign(history, troubles.all, read_sweeps(journals), version, complaints, codes)


def environ() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FERRYMAN_", "DATABASE_URL"))}
    ours = {**SETTINGS, "LEASE": LEASE, "BEAT": BEAT}
    return kept | {f"FERRYMAN_{name}": str(value) for name, value in ours.items()}


def terms(journal: Journal) -> Terms:
    return Terms(lease=LEASE, beat=BEAT, rescue_within=WITHIN, max_pending=MAX_PENDING, types=types(journal))


async def final_of(url: str, folder: Path, entries: Sequence[AnyEntry]) -> FinalState:
    """What the database holds once everybody has gone."""
    clock, kept = SystemClock(), 3650 * 86400 * MICROS
    store = PostgresStore(url, clock=clock, retention=Retention(kept, kept, kept), locks=folder / LOCKS)
    await store.open()
    try:
        numbers = [entry.number for entry in entries if isinstance(entry, Registered)]
        return await final_state(store, clock.now(), numbers)
    finally:
        await store.close()


def _url(proxy: Proxy, pooled: bool) -> Mapping[str, str]:
    return {"FERRYMAN_DATABASE_URL": proxy.url() + (PARAMETER if pooled else "")}


def _excused(troubles: Troubles, pooled: bool) -> Callable[[float], bool]:
    """Says whether there has been any trouble since a time; a pooler takes a while to see that it is over."""
    grace = LOGIN_RETRY if pooled else 0.0
    return lambda since: troubles.since(since - grace)


@contextmanager
def _pooler(server: Server) -> Generator[Pooler]:
    pooler = Pooler(server.node_url)
    try:
        pooler.start()
        yield pooler
    finally:
        pooler.close()


def _unexpected(codes: Counter[str]) -> list[str]:
    known = {*EXPECTED, *TROUBLED}
    return [f"a client was answered {code}, {count} times" for code, count in codes.items() if code not in known]
