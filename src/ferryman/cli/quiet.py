"""`ferryman quiet`: nodes that are to claim no more."""

from __future__ import annotations

import signal
import socket
from collections.abc import Sequence

import click

from ferryman.cli.options import store_options
from ferryman.cli.session import session
from ferryman.cli.world import World
from ferryman.client.nodes import named
from ferryman.domain.errors import NodeNotFound
from ferryman.store.protocol import NodeStatus


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@store_options
@click.pass_obj
def quiet(world: World, /, ids: tuple[str, ...], *, target: str | None, database_url: str | None) -> None:
    """Have the live nodes on this machine claim no more, or only those with the IDs; all else goes on.

    For the time before a deployment: what runs may end, nothing begins, and the stop is short. It is the
    signal SIGUSR1, which a service manager can send as well. A node that is started later claims again; to
    quiet the node processes of a `--processes N` for good, send it to their supervisor. `ferryman nodes quiet`
    does the same for a node on any machine.
    """
    here = session(world, target, {"database_url": database_url})
    found = named(here.run(lambda client: client.nodes()), ids)
    reached = [node for node in found if node.live and node.host == socket.gethostname()]
    _refuse_others(found if ids else (), reached)
    for node in reached:
        world.send(node.pid, signal.SIGUSR1)
        click.echo(f"{node.id} (process {node.pid}) claims no more.")
    if not reached:
        click.echo("No live nodes on this machine.")


def _refuse_others(asked: Sequence[NodeStatus], reached: Sequence[NodeStatus]) -> None:
    """Who names a node wants it quiet. Raises NodeNotFound where that cannot be."""
    for node in asked:
        if node not in reached:
            raise NodeNotFound(
                f"The node {node.id} cannot be reached.",
                why=f"It is on {node.host}." if node.live else "Its process has ended.",
                hint="`ferryman nodes` shows which nodes live, and where.",
            )
