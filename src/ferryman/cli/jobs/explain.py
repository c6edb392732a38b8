"""`ferryman jobs explain`: why a job has not started."""

from __future__ import annotations

import click

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.world import World
from ferryman.domain.explain import Explanation
from ferryman.http.explanation import explanation_json
from ferryman.http.wire import write_moment


@click.command()
@click.argument("id")
@store_options
@json_option("Write one JSON object.")
@click.pass_obj
def explain(world: World, /, *, id: str, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Say why a job has not started: each condition of the claim, and whether it holds.

    What holds has a +, what does not a -. The first - is what it waits for now.
    """
    told = session(world, target, {"database_url": database_url}).run(lambda client: client.explain(id))
    click.echo(explanation_json(told).decode() if as_json else "\n".join(lines(told)))


def lines(told: Explanation) -> list[str]:
    """What to print."""
    found = [f"{told.id} is {told.status}. {told.summary}"]
    found += [f"  {'+' if each.holds else '-'} {each.text}" for each in told.conditions]
    if told.estimated_start is not None:
        found.append(f"It may start at {write_moment(told.estimated_start)}.")
    return found
