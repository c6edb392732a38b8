"""`ferryman jobs purge`: cancel every job that waits in a queue."""

from __future__ import annotations

from typing import Any, Final

import click

from ferryman.cli.jobs.change import Change, Changed, change_jobs, dry_run_option
from ferryman.cli.jobs.filters import filter_words
from ferryman.cli.options import json_option, store_options
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.state import INITIAL
from ferryman.store.protocol import JobFilter


@click.command()
@click.argument("queue")
@filter_words
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only jobs of this type; repeatable.")
@click.option("--tag", "tags", multiple=True, metavar="WORD", help="Only jobs with this tag; repeatable.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@dry_run_option
@store_options
@json_option("Write how many jobs they were.")
@click.pass_obj
def purge(world: World, /, *, queue: str, **asked: Any) -> int:
    """Cancel every job of QUEUE that nobody runs: those that are pending, scheduled or waiting.

    \b
      ferryman jobs purge mail
      ferryman jobs purge mail --type newsletter --yes
      ferryman jobs purge mail 'payload.user.id:42 created:>7d' --dry-run

    It says how many jobs they are and asks; --yes does without, and off a terminal it is needed. Jobs that run
    go on, and none is deleted: `ferryman jobs retry --queue mail --status cancelled` brings them back.
    """
    return change_jobs(world, PURGE, statuses=(), queues=(queue,), **asked)


async def _purge(client: Client, wanted: JobFilter, before: int) -> Changed:
    return Changed(count=await client.controls.purge(wanted, before))


PURGE: Final = Change("purge", Client.cancel, INITIAL, INITIAL, "cancelled", _purge)
