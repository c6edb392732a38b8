"""One campaign: processes, clients and a nemesis for a while; then calm, the end, and one history of it all."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS
from ferryman.engine.clock import SystemClock
from ferryman.engine.runner import InlineRunner
from ferryman.store.protocol import Retention
from ferryman.store.sqlite import SqliteStore
from ferryman.testing.history.entries import AnyEntry, Registered
from ferryman.testing.history.history import Final as FinalState
from ferryman.testing.history.history import History, Terms, final_state
from tests.chaos.clients import Addresses, Caller, Client
from tests.chaos.disk import Disk
from tests.chaos.fleet import Fleet, Slot
from tests.chaos.journal import NEMESIS, Journal, read
from tests.chaos.nemesis import LEASE, LOOP_STALL, Nemesis
from tests.chaos.target import Noted, make_app
from tests.chaos.triggers import Triggers

CLIENTS: Final = 4
NODES: Final = ("a", "b", "c")
BEAT: Final = 0.5
MAX_PENDING: Final = 300
CALM_SECONDS: Final = 15.0
"""About how long the calm part takes; the storm is that much shorter."""
SETTLE_SECONDS: Final = 60.0
SETTINGS: Final[Mapping[str, object]] = {
    "PORT": 0,
    "LEASE": LEASE,
    "BEAT": BEAT,
    "LOOP_STALL": LOOP_STALL,
    "STOP_DEADLINE": 2,
    "MAX_PENDING": MAX_PENDING,
    "LOG_LEVEL": "warning",
    "LOG_FORMAT": "text",
}


@dataclass
class Campaign:
    """What came of it."""

    history: History
    complaints: list[str]
    """What went wrong besides broken promises: a process that ended by itself, an error nobody foresaw."""
    full: list[tuple[float, float]]
    """When the disk was full."""
    refused_full: int
    codes: Counter[str] = field(default_factory=Counter[str])
    """Error codes that clients were answered."""


def megabytes(duration: float) -> int:
    """How large the disk is."""
    return 64 + round(duration / 3)


def run(folder: Path, duration: float, seed: int, breakages: Sequence[str]) -> Campaign:
    """Run it, in a folder of its own, for about `duration` seconds and the time that it takes to settle."""
    journals = folder / "journals"
    journals.mkdir()
    with ExitStack() as stack:
        disk = Disk(folder / "disk", megabytes(duration))
        stack.callback(disk.unmount)
        database = disk.folder / "chaos.db"
        journal, addresses = Journal(journals, NEMESIS), Addresses()
        nodes = [Slot(name, "tests.chaos.node", breakages) for name in NODES]
        producers = [Slot("p", "tests.chaos.producer")]
        fleet = Fleet([*nodes, *producers], journals, environ(database), journal, addresses, disk.was_full)
        stack.callback(fleet.end)
        own = Caller(Journal(journals, "person"), addresses, random.Random(f"{seed} person"))
        nemesis = Nemesis(fleet, nodes, producers, disk, own, journal, random.Random(f"{seed} nemesis"))
        clients = [make_client(journals, addresses, seed, number) for number in range(1, CLIENTS + 1)]
        play(fleet, nemesis, clients, partial(settled, own), duration)
        codes = sum((each.codes for each in [own, *(client.caller for client in clients)]), Counter[str]())
        final = asyncio.run(final_of(database, entries := read(journals)))
        history = History(entries=entries, final=final, terms=terms(journal))
    complaints = fleet.complaints + [f"a client was answered {code}" for code in codes if code not in EXPECTED]
    return Campaign(history, complaints, nemesis.full, nemesis.refused_full, codes)


EXPECTED: Final = (
    "FM207",  # busy: another process was frozen, or slow, while it wrote
    "FM208",  # the disk is full
    "FM209",  # so full that SQLite says it in another way
    "FM312",  # the unique key is taken
    "FM314",  # the queue is full
    "FM409",  # the job has ended, so it cannot be cancelled; or it has not, so it cannot be retried
    "FM450",  # the node is stopping
)
"""The codes that a client of a system in trouble has to live with."""


def environ(database: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")}
    ours = {f"FERRYMAN_{name}": str(value) for name, value in SETTINGS.items()}
    return kept | ours | {"FERRYMAN_DATABASE_URL": f"sqlite:///{database}"}


def make_client(journals: Path, addresses: Addresses, seed: int, number: int) -> Client:
    dice = random.Random(f"{seed} client {number}")
    return Client(Caller(Journal(journals, f"client{number}"), addresses, dice), dice)


def types(journal: Journal) -> frozenset[str]:
    return make_app(Noted(journal, Triggers(journal))).registry.types


def terms(journal: Journal) -> Terms:
    return Terms(lease=LEASE, beat=BEAT, max_pending=MAX_PENDING, types=types(journal))


def settled(caller: Caller) -> bool:
    """Whether no job is left to run."""
    reply = caller.call("GET", "/metrics")
    open = ("jobs_pending", "jobs_scheduled", "jobs_in_progress")
    return reply is not None and reply.status == 200 and not any(reply.data[name] for name in open)


def play(
    fleet: Fleet,
    nemesis: Nemesis,
    clients: Sequence[Client],
    settled: Callable[[], bool],
    duration: float,
    calm: float = CALM_SECONDS,
) -> None:
    """The campaign's own course; the last of the fleet's places is the producer's."""
    until = time.monotonic() + duration - calm
    if not fleet.wait_until(fleet.all_up, 60.0):
        fleet.complaints.append("the processes did not start")
        return
    for client in clients:
        client.start()
    nemesis.storm(until)
    nemesis.calm()
    fleet.restarting = False
    for client in clients:
        client.end()
    fleet.wait_until(lambda: not any(client.is_alive() for client in clients), SETTLE_SECONDS)
    fleet.stop(fleet.slots[-1])  # the producer
    if not fleet.wait_until(settled, SETTLE_SECONDS):
        fleet.complaints.append(f"jobs were left after {SETTLE_SECONDS:g} s of calm")
    for slot in fleet.slots:
        fleet.stop(slot)
    fleet.wait_until(fleet.all_down, 60.0)


async def final_of(database: Path, entries: Sequence[AnyEntry]) -> FinalState:
    """What the file holds once everybody has gone."""
    clock, kept = SystemClock(), 3650 * 86400 * MICROS
    store = SqliteStore(
        database,
        clock=clock,
        ids=IdMinter(random.Random()),
        retention=Retention(kept, kept, kept),
        runner=lambda _name: InlineRunner(),
    )
    await store.open()
    try:
        numbers = [entry.number for entry in entries if isinstance(entry, Registered)]
        return await final_state(store, clock.now(), numbers)
    finally:
        await store.close()
