"""Money moves in `ctx.transaction()` while the node is killed again and again, in the middle of it."""

from __future__ import annotations

import asyncio
import os
import random
from functools import partial
from pathlib import Path

import pytest

from ferryman import Ferryman
from ferryman.client import Client
from ferryman.store.protocol import JobFilter
from ferryman.testing.serving import Server
from tests.chaos import middle, transfers

JOBS = 120
KILLS = 4


def test_money_is_neither_made_nor_lost_under_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, pipe = tmp_path / "jobs.db", tmp_path / "pipe"
    os.mkfifo(pipe)
    listening = os.open(pipe, os.O_RDWR)
    dice = random.Random(4)
    monkeypatch.setenv(middle.PIPE, str(pipe))
    try:
        verdict = asyncio.run(play(database, listening, dice))
    finally:
        os.close(listening)
    assert verdict == transfers.Verdict(JOBS, JOBS, JOBS, ())


async def play(database: Path, listening: int, dice: random.Random) -> transfers.Verdict:
    producer = Ferryman(f"sqlite:///{database}")
    transfer = producer.job(name="transfer")(nothing)
    on_loop = producer.job(name="transfer_on_loop")(nothing)
    await producer.awake()
    transfers.open_accounts(database)
    calls = [
        dice.choice((transfer, on_loop)).call(source, target, dice.randrange(1, 100))
        for source, target in (dice.sample(range(transfers.ACCOUNTS), 2) for _ in range(JOBS))
    ]
    handles = [await call.aenqueue() for call in calls]
    for _ in range(KILLS):
        server = await asyncio.to_thread(start, database)
        await asyncio.to_thread(read_bytes, listening, dice.randrange(3, 15))
        server.kill()
        let_go(server)
    server = await asyncio.to_thread(start, database)
    try:
        for handle in handles:
            await handle.aresult(timeout=100)
        await receipts(producer)
        return await transfers.judge(producer, database)
    finally:
        assert await asyncio.to_thread(server.stop) == 0
        let_go(server)
        await asyncio.to_thread(producer.close)


def start(database: Path) -> Server:
    return Server(Path(transfers.__file__), database, {"WORKER_COUNT": 4})


def let_go(server: Server) -> None:
    """Close the pipe from a process that has ended."""
    assert server.process.stdout is not None
    server.process.stdout.close()


def read_bytes(descriptor: int, count: int) -> None:
    """Wait until so many transactions have come to their middle."""
    for _ in range(count):
        os.read(descriptor, 1)


async def receipts(producer: Ferryman) -> None:
    """Wait for every receipt there is."""
    found = await producer._bridge.acall(lambda client: client.list(JobFilter(types=frozenset({"receipt"}))))
    for job in found:
        await producer._bridge.acall(partial(Client.wait, id=job.id, timeout=100))


def nothing(source: int, target: int, amount: int) -> None:
    """Stands for the handlers of the node, which is another process."""
