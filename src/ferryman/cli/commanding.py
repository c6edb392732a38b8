"""`ferryman nodes quiet`, `resume` and `stop`: what nodes are told, wherever they are."""

from __future__ import annotations

import click

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.nodes import NodeWish
from ferryman.http.nodes import nodes_json
from ferryman.store.protocol import NodeStatus

_TOLD = {
    NodeWish.QUIET: "claims no more from its next beat on.",
    NodeWish.RESUME: "claims again from its next beat on.",
    NodeWish.STOP: "stops in order from its next beat on.",
}


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@store_options
@json_option("Write a JSON array, one object per node.")
@click.pass_obj
def quiet(
    world: World, /, ids: tuple[str, ...], *, as_json: bool, target: str | None, database_url: str | None
) -> None:
    """Have the nodes with these IDs claim no more; what they run goes on.

    A node hears it with its next beat, two seconds later at most unless BEAT says otherwise, on whatever machine it is.
    """
    _command(world, NodeWish.QUIET, ids, as_json=as_json, target=target, database_url=database_url)


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@store_options
@json_option("Write a JSON array, one object per node.")
@click.pass_obj
def resume(
    world: World, /, ids: tuple[str, ...], *, as_json: bool, target: str | None, database_url: str | None
) -> None:
    """Have the nodes with these IDs claim again, however they came to be quiet."""
    _command(world, NodeWish.RESUME, ids, as_json=as_json, target=target, database_url=database_url)


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@store_options
@json_option("Write a JSON array, one object per node.")
@click.pass_obj
def stop(world: World, /, ids: tuple[str, ...], *, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Have the nodes with these IDs stop in order, as SIGTERM does: runs have STOP_DEADLINE to end.

    The process ends with exit code 0. Whatever looks after it decides whether another one takes its place, which the
    supervisor of `--processes N` has always.
    """
    _command(world, NodeWish.STOP, ids, as_json=as_json, target=target, database_url=database_url)


def _command(
    world: World,
    wish: NodeWish,
    ids: tuple[str, ...],
    *,
    as_json: bool,
    target: str | None,
    database_url: str | None,
) -> None:
    async def tell(client: Client) -> list[NodeStatus]:
        return [await client.commanding.command(id, wish) for id in dict.fromkeys(ids)]

    told = session(world, target, {"database_url": database_url}).run(tell)
    if as_json:
        click.echo(nodes_json(told).decode())
        return
    for node in told:
        click.echo(f"{plain(node.id)} {_TOLD[wish]}")
