"""A target whose handlers move money between rows of the jobs' own file, and what must be true of it afterwards.

With TRANSFER_PIPE a handler says in the middle of each transaction that it is there: a moment to be killed at.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from ferryman import Context, Ferryman
from ferryman.domain.state import Status
from ferryman.store.protocol import JobFilter

ACCOUNTS: Final = 10
MONEY: Final = 1_000
"""What each account begins with."""
PIPE: Final = "TRANSFER_PIPE"
DEBIT: Final = "UPDATE account SET money = money - ? WHERE number = ?"
CREDIT: Final = "UPDATE account SET money = money + ? WHERE number = ?"
NOTE: Final = "INSERT INTO ledger VALUES (?, ?, ?, ?)"

app = Ferryman()


@app.job_with_context(max_attempts=100, retry=0.0)
def transfer(ctx: Context, source: int, target: int, amount: int) -> None:
    """In a thread."""
    with ctx.transaction() as tx:
        tx.execute(DEBIT, (amount, source))
        _say()
        tx.execute(CREDIT, (amount, target))
        tx.execute(NOTE, (ctx.job.id, source, target, amount))
        ctx.enqueue(receipt.call(ctx.job.id))


@app.job_with_context(max_attempts=100, retry=0.0)
async def transfer_on_loop(ctx: Context, source: int, target: int, amount: int) -> None:
    """On the loop."""
    async with ctx.transaction() as tx:
        tx.execute(DEBIT, (amount, source))
        _say()
        tx.execute(CREDIT, (amount, target))
        tx.execute(NOTE, (ctx.job.id, source, target, amount))
        ctx.enqueue(receipt.call(ctx.job.id))


@app.job(max_attempts=100, retry=0.0)
async def receipt(transfer: str) -> str:
    """The follow-up of each transfer."""
    return transfer


def _say() -> None:
    pipe = os.environ.get(PIPE)
    if pipe is not None:
        with contextlib.suppress(OSError):  # nobody listens
            descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(descriptor, b".")
            finally:
                os.close(descriptor)


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
    jobs = await ferryman._bridge.acall(lambda client: client.list(JobFilter(limit=10_000)))
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
