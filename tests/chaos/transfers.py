"""A target whose handlers move money between rows of the jobs' own file, and what must be true of it afterwards.

The middle of each transaction is a moment to be killed at: see `tests.chaos.middle`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from ferryman import Context, Ferryman
from ferryman.domain.job import Job
from ferryman.domain.state import Status
from ferryman.store.protocol import JobFilter
from tests.chaos import middle

ACCOUNTS: Final = 10
MONEY: Final = 1_000
"""What each account begins with."""
SLOW: Final = ("dawdle", "dawdle_on_loop")
"""The types that never get done."""
DEBIT: Final = "UPDATE account SET money = money - ? WHERE number = ?"
CREDIT: Final = "UPDATE account SET money = money + ? WHERE number = ?"
NOTE: Final = "INSERT INTO ledger VALUES (?, ?, ?, ?)"

app = Ferryman()


@app.job_with_context(max_attempts=100, retry=0.0)
def transfer(ctx: Context, source: int, target: int, amount: int) -> None:
    """In a thread."""
    with ctx.transaction() as tx:
        tx.execute(DEBIT, (amount, source))
        middle.reached()
        tx.execute(CREDIT, (amount, target))
        tx.execute(NOTE, (ctx.job.id, source, target, amount))
        ctx.enqueue(receipt.call(ctx.job.id))


@app.job_with_context(max_attempts=100, retry=0.0)
async def transfer_on_loop(ctx: Context, source: int, target: int, amount: int) -> None:
    """On the loop."""
    async with ctx.transaction() as tx:
        tx.execute(DEBIT, (amount, source))
        middle.reached()
        tx.execute(CREDIT, (amount, target))
        tx.execute(NOTE, (ctx.job.id, source, target, amount))
        ctx.enqueue(receipt.call(ctx.job.id))


@app.job(max_attempts=100, retry=0.0)
async def receipt(transfer: str) -> str:
    """The follow-up of each transfer."""
    return transfer


@app.job_with_context(max_attempts=1)
def dawdle(ctx: Context, seconds: float) -> None:
    """Sleeps in its transaction, in a thread; what it has written by then must not stay."""
    with ctx.transaction() as tx:
        tx.execute(NOTE, (ctx.job.id, 0, 1, 1))
        time.sleep(seconds)
        tx.execute(CREDIT, (1, 1))


@app.job_with_context(max_attempts=1)
async def dawdle_on_loop(ctx: Context, seconds: float) -> None:
    """The same on the loop."""
    async with ctx.transaction() as tx:
        tx.execute(NOTE, (ctx.job.id, 0, 1, 1))
        await asyncio.sleep(seconds)
        tx.execute(CREDIT, (1, 1))


def open_accounts(database: Path) -> None:
    """Make the tables, in a file that Ferryman has made."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE account (number INTEGER PRIMARY KEY, money INTEGER NOT NULL) STRICT")
        # a job that came twice must show, so nothing here is unique
        connection.execute("CREATE TABLE ledger (job TEXT, source INTEGER, target INTEGER, amount INTEGER) STRICT")
        connection.executemany("INSERT INTO account VALUES (?, ?)", [(n, MONEY) for n in range(ACCOUNTS)])


class Verdict(msgspec.Struct, frozen=True):
    """What was found, and what of it is wrong."""

    completed: int
    ledger: int
    receipts: int
    wrong: tuple[str, ...]


async def judge(ferryman: Ferryman, database: Path) -> Verdict:
    """Compare accounts, ledger and jobs, once everything has ended."""
    with closing(sqlite3.connect(database)) as connection:
        accounts = dict(connection.execute("SELECT number, money FROM account"))
        rows = connection.execute("SELECT job, source, target, amount FROM ledger").fetchall()
    every = await ferryman._bridge.acall(lambda client: client.list(JobFilter(limit=1_000_000)))
    return compared(accounts, rows, [job for job in every if job.type not in SLOW])


def compared(accounts: Mapping[int, int], rows: Sequence[Sequence[Any]], jobs: Sequence[Job]) -> Verdict:
    """What is wrong with accounts, rows of the ledger (job, source, target, amount), transfers and receipts."""
    completed = Counter(job.id for job in jobs if job.type != "receipt" and job.status is Status.COMPLETED)
    receipts = Counter(msgspec.json.decode(job.payload)["transfer"] for job in jobs if job.type == "receipt")
    expected = dict.fromkeys(range(ACCOUNTS), MONEY)
    for _, source, target, amount in rows:
        expected[source] -= amount
        expected[target] += amount
    wrong = {
        "the accounts are not what the ledger says": accounts != expected,
        "the ledger is not what was completed": Counter(row[0] for row in rows) != completed,
        "the receipts are not what was completed": receipts != completed,
        "some jobs have not completed": any(job.status is not Status.COMPLETED for job in jobs),
    }
    return Verdict(
        completed.total(), len(rows), receipts.total(), tuple(text for text, is_wrong in wrong.items() if is_wrong)
    )
