"""`ferryman operations cancel`."""

from __future__ import annotations

import click

from ferryman.cli.operations.look import counts
from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.world import World
from ferryman.http.bulk_wire import operation_json


@click.command()
@click.argument("id")
@store_options
@json_option("Write the operation as one JSON object.")
@click.pass_obj
def cancel(world: World, /, *, id: str, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Stop the operation ID. What it has changed stays changed."""
    kept = session(world, target, {"database_url": database_url}).run(lambda client: client.operations.cancel(id))
    click.echo(operation_json(kept).decode() if as_json else f"The operation {id} is stopped: {counts(kept)}.")
