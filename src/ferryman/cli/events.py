"""`ferryman events`: what happens to jobs, as it happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click
import msgspec

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain
from ferryman.cli.words import one_of
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.client.listening import Wanted
from ferryman.domain.state import Status
from ferryman.http.journal import change_of
from ferryman.http.wire import write_moment
from ferryman.store.journaling import TOLD, Change

_STATUS: Final = 11
_WHAT: Final = 13


@click.command()
@click.option("--queue", "queues", multiple=True, metavar="NAME", help="Jobs in this queue; repeatable.")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Jobs of this type, in which * is any text.")
@click.option("--status", "statuses", multiple=True, type=one_of(TOLD), metavar="STATUS", help=f"{', '.join(TOLD)}.")
@store_options
@json_option("Write one JSON object per line, each as the data of an event of GET /events.")
@click.pass_obj
def events(
    world: World,
    /,
    *,
    queues: Sequence[str],
    types: Sequence[str],
    statuses: Sequence[str],
    as_json: bool,
    target: str | None,
    database_url: str | None,
) -> int:
    """Print what happens to jobs, until Ctrl-C: that they were stored, and what each run came to.

    Every such change is printed, whichever process it happens in, within a fifth of a second. That a run
    has begun is none of them.
    """
    wanted = Wanted(frozenset(queues), frozenset(types), frozenset(map(Status, statuses)))
    try:
        session(world, target, {"database_url": database_url}).run(
            lambda client: _follow(client, wanted, as_json=as_json)
        )
    except KeyboardInterrupt:
        return 0
    return 0


async def _follow(client: Client, wanted: Wanted, *, as_json: bool) -> None:
    async for heard in client.events(wanted):
        if heard.gap:
            click.echo("Some changes were missed here.", err=True)
        for each in heard.changes:
            click.echo(msgspec.json.encode(change_of(each)).decode() if as_json else _line(each))


def _line(change: Change) -> str:
    told = f"{write_moment(change.at)[11:19]}  {change.id}  {change.status:<{_STATUS}}{change.what:<{_WHAT}}"
    return f"{told}{plain(change.lane.type)}  {plain(change.lane.queue)}"
