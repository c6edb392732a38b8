"""`ferryman operations add`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

import click

from ferryman.cli.confirming import asking
from ferryman.cli.operations.look import counts
from ferryman.cli.options import json_option, store_options
from ferryman.cli.report import FAILED
from ferryman.cli.session import session
from ferryman.cli.table import jobs
from ferryman.cli.words import duration, moment, one_of
from ferryman.cli.words import rate as rate_of
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.client.finding import Counted
from ferryman.domain.bulk import BulkAction, BulkStatus
from ferryman.http.bulk_wire import dry_run_json, operation_json
from ferryman.store.bulk import BulkOperation

LOOK: Final = 1.0
"""Seconds between two looks at how far an operation is."""


@click.command()
@click.argument("action", type=one_of([each.value for each in BulkAction]))
@click.option("--filter", "filter", required=True, metavar="TEXT", help="Which jobs, such as 'status:failed type:a.*'.")
@click.option("--to-queue", "queue", metavar="NAME", help="With change: the queue.")
@click.option("--to-priority", "priority", type=click.IntRange(0, 9), help="With change: 0 runs first, 9 last.")
@click.option(
    "--at", "run_at", type=moment, metavar="TIME", help="With change: at a time, such as 2030-01-31T12:00:00Z."
)
@click.option(
    "--delay", type=duration, metavar="TIME", help="With change: so long from now, such as 30s; 0 is at once."
)
@click.option("--rate", type=rate_of, metavar="RATE", help="With retry: so many at a time: 100/s, 5/m or 20/h.")
@click.option("--dry-run", is_flag=True, help="Start nothing, and say how many jobs are meant.")
@click.option("--wait", is_flag=True, help="Show how far it is, until its end.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_options
@json_option("Write the operation as one JSON object.")
@click.pass_obj
def add(
    world: World,
    /,
    *,
    action: str,
    filter: str,
    dry_run: bool,
    wait: bool,
    yes: bool,
    as_json: bool,
    target: str | None,
    database_url: str | None,
    **asked: Any,
) -> int:
    """Have the nodes do ACTION to every job that a filter means: retry, cancel, delete or change.

    \b
      ferryman operations add retry --filter 'status:failed type:mail.*' --rate 100/s
      ferryman operations add delete --filter 'status:cancelled finished:>7d' --yes --wait
      ferryman operations add change --filter 'queue:mail type:newsletter' --to-queue bulk

    It says how many jobs they are and asks; --yes does without, and off a terminal it is needed. A filter that names no
    status means failed jobs for a retry, and otherwise every job to which this can be done. Jobs that are made later
    are left alone. With --wait the exit code is 1 unless the operation has completed; it goes on without the command.
    """
    here = session(world, target, {"database_url": database_url})
    if dry_run:
        told = here.run(lambda client: client.operations.count(action, filter))
        click.echo(dry_run_json(told).decode() if as_json else f"{_so_many(told)} would be changed.")
        return 0
    ask = asking(world, action, yes=yes)

    async def work(client: Client) -> BulkOperation | None:
        if not yes and not ask(_so_many(await client.operations.count(action, filter))):
            return None
        started = await client.operations.start(action, filter, **asked)
        return await _ended(client, started, world.pause, _teller(world)) if wait else started

    kept = here.run(work)
    if kept is None:
        click.echo("Nothing was changed.", err=True)
        return FAILED
    if as_json:
        click.echo(operation_json(kept).decode())
    elif wait:
        click.echo(f"The operation {kept.id} is {kept.status}: {counts(kept)}.")
    else:
        click.echo(f"The operation {kept.id} is started: nodes carry it out.")
    return FAILED if wait and kept.status is not BulkStatus.COMPLETED else 0


async def _ended(
    client: Client,
    kept: BulkOperation,
    pause: Callable[[float], Awaitable[None]],
    tell: Callable[[BulkOperation], None],
) -> BulkOperation:
    """The operation once it runs no more."""
    while kept.status is BulkStatus.RUNNING:
        await pause(LOOK)
        kept = await client.operations.get(kept.id)
        tell(kept)
    return kept


def _teller(world: World) -> Callable[[BulkOperation], None]:
    """Says how far it is, on stderr, where that is a terminal."""
    if not world.is_terminal(sys.stderr):
        return lambda _: None

    def tell(kept: BulkOperation) -> None:
        runs = kept.status is BulkStatus.RUNNING
        click.echo(f"\r\033[K{counts(kept)}" if runs else "\r\033[K", err=True, nl=False)

    return tell


def _so_many(told: Counted) -> str:
    return jobs(told.count) if told.complete else f"at least {jobs(told.count)}"
