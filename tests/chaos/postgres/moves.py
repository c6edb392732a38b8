"""A target whose handlers move money between rows of the jobs' own database, and what must be true of it afterwards.

The middle of each transaction is a moment at which the node, its server or its connection goes: see
`tests.chaos.middle`.
"""

from __future__ import annotations

from typing import Final

import psycopg

from ferryman import Context, Ferryman
from ferryman.domain.job import Job
from ferryman.store.protocol import JobFilter
from tests.chaos import middle
from tests.chaos.postgres.server import ROLE
from tests.chaos.transfers import ACCOUNTS, MONEY, Verdict, compared

CHANGE: Final = "UPDATE account SET money = money + $1 WHERE number = $2"
NOTE: Final = "INSERT INTO ledger VALUES ($1, $2, $3, $4)"
STAY: Final = "SELECT pg_sleep(2)"
"""Long enough to be met there. The server may notice only at its end that the client has gone; others wait for that."""
CHANGE_PSYCOPG: Final = "UPDATE account SET money = money + %s WHERE number = %s"
NOTE_PSYCOPG: Final = "INSERT INTO ledger VALUES (%s, %s, %s, %s)"
PUBLIC: Final = "-c search_path=public"
"""Who makes the tables has the name of our schema, and would make them there."""

app = Ferryman()


@app.job_with_context(max_attempts=100, retry=0.0)
def transfer(ctx: Context, source: int, target: int, amount: int) -> None:
    """In a thread, over psycopg."""
    one, other = changes(source, target, amount)
    with ctx.transaction() as tx:
        tx.execute(CHANGE_PSYCOPG, one)
        if middle.reached():
            tx.execute(STAY)
        tx.execute(CHANGE_PSYCOPG, other)
        tx.execute(NOTE_PSYCOPG, (ctx.job.id, source, target, amount))
        ctx.enqueue(receipt.call(ctx.job.id))


@app.job_with_context(max_attempts=100, retry=0.0)
async def transfer_on_loop(ctx: Context, source: int, target: int, amount: int) -> None:
    """On the loop, over asyncpg."""
    one, other = changes(source, target, amount)
    async with ctx.transaction() as tx:
        await tx.execute(CHANGE, *one)
        if middle.reached():
            await tx.execute(STAY)
        await tx.execute(CHANGE, *other)
        await tx.execute(NOTE, ctx.job.id, source, target, amount)
        ctx.enqueue(receipt.call(ctx.job.id))


@app.job(max_attempts=100, retry=0.0)
async def receipt(transfer: str) -> str:
    """The follow-up of each transfer."""
    return transfer


def changes(source: int, target: int, amount: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """(what is added, number of the account), in the order of numbers: else two transfers would wait for each other."""
    debit, credit = (-amount, source), (amount, target)
    return (debit, credit) if source < target else (credit, debit)


def open_accounts(url: str) -> None:
    """Make the tables, for the role of the nodes as well."""
    with psycopg.connect(url, options=PUBLIC) as connection:
        connection.execute("CREATE TABLE account (number int PRIMARY KEY, money int NOT NULL)")
        # a job that came twice must show, so nothing here is unique
        connection.execute("CREATE TABLE ledger (job text, source int, target int, amount int)")
        connection.execute(f"GRANT SELECT, INSERT, UPDATE ON account, ledger TO {ROLE}".encode())
        cursor = connection.cursor()
        cursor.executemany("INSERT INTO account VALUES (%s, %s)", [(number, MONEY) for number in range(ACCOUNTS)])


def judge(ferryman: Ferryman, url: str) -> Verdict:
    """Compare accounts, ledger and jobs, once everything has ended."""
    with psycopg.connect(url, options=PUBLIC) as connection:
        accounts: list[tuple[int, int]] = connection.execute("SELECT number, money FROM account").fetchall()
        rows = connection.execute("SELECT job, source, target, amount FROM ledger").fetchall()
    return compared(dict(accounts), rows, jobs_of(ferryman))


def jobs_of(ferryman: Ferryman) -> list[Job]:
    """Every job there is."""
    return list(ferryman._bridge.call(lambda client: client.list(JobFilter(limit=1_000_000)), ""))
