"""`ferryman prune`: deletes now what a node would delete bit by bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from typing import Any

import click

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import jobs
from ferryman.cli.words import duration
from ferryman.cli.world import World
from ferryman.client import Client


@click.command()
@click.option(
    "--completed", type=duration, metavar="TIME", help="Keep those that completed within this time, such as 1h."
)
@click.option("--failed", type=duration, metavar="TIME", help="Keep those that failed within this time.")
@click.option("--cancelled", type=duration, metavar="TIME", help="Keep those that were cancelled within this time.")
@store_options
@json_option("Write how many were deleted as one JSON object.")
@click.pass_obj
def prune(
    world: World, /, *, as_json: bool, target: str | None, database_url: str | None, **kept: float | None
) -> None:
    """Delete ended jobs now, in rounds of a thousand, and say how many they were.

    \b
      ferryman prune                   what RETENTION no longer keeps
      ferryman prune --completed 0s    every completed job besides

    A running node does this by itself, by RETENTION. Files do not shrink: the room in them is used again.
    """
    seconds = {status: math.ceil(each) for status, each in kept.items() if each is not None}
    here = session(world, target, {"database_url": database_url}, seconds)
    count = here.run(_prune())
    click.echo(f'{{"deleted":{count}}}' if as_json else f"{jobs(count)} deleted.")


def _prune() -> Callable[[Client], Coroutine[Any, Any, int]]:
    async def work(client: Client) -> int:
        return sum([count async for count in client.prune()])

    return work
