"""`ferryman queues`: how many jobs stand in each queue, how long the first of them has waited; and `drain`."""

from __future__ import annotations

from typing import Final

import click
import msgspec

from ferryman.cli.group import LazyGroup
from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain, span, table
from ferryman.cli.world import World
from ferryman.domain.job import MICROS
from ferryman.http.queues import Depth, depths

HEAD: Final = ("QUEUE", "PENDING", "SCHEDULED", "PROCESSING", "WAITING", "OLDEST PENDING")


@click.group(
    cls=LazyGroup,
    commands_at={"drain": ("ferryman.cli.drain:drain", "Wait until nothing of a queue is pending or runs.")},
)
@store_options
@json_option("Write a JSON array, one object per queue.")
@click.pass_context
def queues(ctx: click.Context, /, *, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Show each queue that holds jobs which have not ended.

    OLDEST PENDING is for how long the first pending job of a queue has been ready to run. Where it grows,
    there are too few workers, or no node serves that queue or knows a type in it.
    """
    if ctx.invoked_subcommand is not None:
        return
    world: World = ctx.obj
    counts = session(world, target, {"database_url": database_url}).run(lambda client: client.counts())
    found = depths(counts)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        click.echo(table(HEAD, [_row(each) for each in found]) if found else "No job waits or runs.")


def _row(depth: Depth) -> tuple[str, ...]:
    numbers = (depth.pending, depth.scheduled, depth.processing, depth.waiting)
    oldest = depth.oldest_pending_seconds
    return (plain(depth.queue), *map(str, numbers), "" if oldest is None else span(round(oldest * MICROS)))
