"""`ferryman nodes`: the processes that run jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain, span, table
from ferryman.cli.world import World
from ferryman.domain.errors import NodeNotFound
from ferryman.domain.suggest import did_you_mean
from ferryman.http.wire import write_moment
from ferryman.store.protocol import NodeStatus

HEAD: Final = ("ID", "HOST", "PID", "VERSION", "WORKERS", "QUEUES", "SINCE", "STATE", "CLAIMED")


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@store_options
@json_option("Write a JSON array, one object per node.")
@click.pass_obj
def nodes(
    world: World, /, ids: tuple[str, ...], *, as_json: bool, target: str | None, database_url: str | None
) -> None:
    """Show the nodes that run jobs, and those that ended within the last hour; with IDs only these.

    A node is a process that runs jobs. `dead` is one whose process is gone and whose jobs nobody has given
    back yet: any node that runs does so within a second. CLAIMED counts the jobs that it holds.
    """
    here = session(world, target, {"database_url": database_url})
    found = named(here.run(lambda client: client.nodes()), ids)
    if as_json:
        click.echo(msgspec.json.encode([_as_json(each) for each in found]).decode())
        return
    now = here.clock.now()
    click.echo(table(HEAD, [_row(each, now) for each in found]) if found else "No nodes.")


def named(nodes: Sequence[NodeStatus], ids: Sequence[str]) -> Sequence[NodeStatus]:
    """Those with the ids, or all of them. Raises NodeNotFound."""
    known = {each.id: each for each in nodes}
    for id in ids:
        if id not in known:
            raise NodeNotFound(
                f"There is no node {id!a}.",
                why=did_you_mean(id, known) or "It never was, or ended more than an hour ago.",
                hint="`ferryman nodes` lists them.",
            )
    return [known[id] for id in dict.fromkeys(ids)] if ids else nodes


def _row(node: NodeStatus, now: int) -> tuple[str, ...]:
    queues = "all" if node.queues is None else ",".join(sorted(node.queues))
    ended = "dead" if node.ended_at is None else f"ended {span(now - node.ended_at)} ago"
    since = f"{write_moment(node.started_at)[:19]}Z"
    texts = (node.id, node.host, str(node.pid), node.version, str(node.workers), queues, since)
    return (*map(plain, texts), "live" if node.live else ended, str(node.claimed))


def _as_json(node: NodeStatus) -> dict[str, Any]:
    return {
        "id": node.id,
        "host": node.host,
        "pid": node.pid,
        "version": node.version,
        "workers": node.workers,
        "queues": None if node.queues is None else sorted(node.queues),
        "started_at": write_moment(node.started_at),
        "ended_at": None if node.ended_at is None else write_moment(node.ended_at),
        "live": node.live,
        "claimed": node.claimed,
    }
