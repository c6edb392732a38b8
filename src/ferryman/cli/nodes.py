"""`ferryman nodes`: the processes that run jobs, and what they are told."""

from __future__ import annotations

from typing import Final

import click

from ferryman.cli.group import LazyGroup
from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain, span, table
from ferryman.cli.world import World
from ferryman.client.nodes import named
from ferryman.http.nodes import nodes_json
from ferryman.http.wire import write_moment
from ferryman.store.protocol import NodeStatus

HEAD: Final = ("ID", "HOST", "PID", "VERSION", "WORKERS", "QUEUES", "SINCE", "STATE", "CLAIMED", "BUSY")


@click.group(
    cls=LazyGroup,
    commands_at={
        "show": ("ferryman.cli.nodes:show", "Show only the nodes with these ids."),
        "quiet": ("ferryman.cli.commanding:quiet", "Have nodes claim no more, wherever they are."),
        "resume": ("ferryman.cli.commanding:resume", "Have nodes claim again."),
        "stop": ("ferryman.cli.commanding:stop", "Have nodes stop in order."),
    },
)
@store_options
@json_option("Write a JSON array, one object per node.")
@click.pass_context
def nodes(ctx: click.Context, /, *, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Show the nodes that run jobs, and those that ended within the last hour.

    A node is a process that runs jobs. `dead` is one whose process is gone and whose jobs nobody has given
    back yet: any node that runs does so within a second; `quiet` one that claims no more. CLAIMED counts the
    jobs that it holds, BUSY its workers that run one, as it said with its last beat.
    """
    if ctx.invoked_subcommand is None:
        _show(ctx.obj, (), as_json=as_json, target=target, database_url=database_url)


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@store_options
@json_option("Write a JSON array, one object per node.")
@click.pass_obj
def show(world: World, /, ids: tuple[str, ...], *, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Show the nodes with these IDs."""
    _show(world, ids, as_json=as_json, target=target, database_url=database_url)


def _show(world: World, ids: tuple[str, ...], *, as_json: bool, target: str | None, database_url: str | None) -> None:
    here = session(world, target, {"database_url": database_url})
    found = named(here.run(lambda client: client.nodes()), ids)
    if as_json:
        click.echo(nodes_json(found).decode())
        return
    now = here.clock.now()
    click.echo(table(HEAD, [_row(each, now) for each in found]) if found else "No nodes.")


def _row(node: NodeStatus, now: int) -> tuple[str, ...]:
    queues = "all" if node.queues is None else ",".join(sorted(node.queues))
    ended = "dead" if node.ended_at is None else f"ended {span(now - node.ended_at)} ago"
    since = f"{write_moment(node.started_at)[:19]}Z"
    texts = (node.id, node.host, str(node.pid), node.version, str(node.workers), queues, since)
    said = node.condition
    state = ended if not node.live else "quiet" if said is not None and said.quiet else "live"
    return (*map(plain, texts), state, str(node.claimed), "" if said is None else str(said.busy))
