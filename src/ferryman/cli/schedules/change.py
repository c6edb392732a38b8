"""`ferryman schedules pause`, `resume`, `run` and `rm`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import click

from ferryman.cli.options import json_option, store_options
from ferryman.cli.schedules.look import shown
from ferryman.cli.session import session
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.http.schedule_wire import schedule_json
from ferryman.http.wire import job_json
from ferryman.store.scheduling import KeptSchedule


@click.command()
@click.argument("name")
@store_options
@json_option("Write the schedule as one JSON object.")
@click.pass_obj
def pause(world: World, /, *, name: str, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Have the schedule NAME fire no more, until it is resumed.

    A pause outlasts deploys. What would have fired meanwhile is not made up for.
    """
    _pause(world, target, database_url, lambda client: client.schedules.pause(name), "is paused", as_json=as_json)


@click.command()
@click.argument("name")
@store_options
@json_option("Write the schedule as one JSON object.")
@click.pass_obj
def resume(world: World, /, *, name: str, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Have the schedule NAME fire again, from now on."""
    _pause(world, target, database_url, lambda client: client.schedules.resume(name), "goes on", as_json=as_json)


@click.command()
@click.argument("name")
@store_options
@json_option("Write the job as one JSON object.")
@click.pass_obj
def run(world: World, /, *, name: str, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Hand the job of the schedule NAME in now, and print its id.

    It is a job like any other: the schedule's ticks, its pause and its overlap have nothing to do with it.
    """

    async def work(client: Client) -> str:
        accepted = await client.schedules.run(name)
        return job_json(await client.shown(accepted.job())).decode() if as_json else accepted.id

    click.echo(session(world, target, {"database_url": database_url}).run(work))


@click.command()
@click.argument("name")
@store_options
@json_option("Write the name as one JSON object.")
@click.pass_obj
def rm(world: World, /, *, name: str, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Drop the schedule NAME. The jobs that it made stay.

    One that code declares is there again when the next node of that code starts: pause it instead.
    """
    session(world, target, {"database_url": database_url}).run(lambda client: client.schedules.drop(name))
    click.echo(f'{{"dropped":"{name}"}}' if as_json else f"The schedule {name} is dropped.")


def _pause(
    world: World,
    target: str | None,
    database_url: str | None,
    do: Callable[[Client], Awaitable[Any]],
    told: str,
    *,
    as_json: bool,
) -> None:
    here = session(world, target, {"database_url": database_url})

    async def work(client: Client) -> KeptSchedule:
        return await shown(client, (await do(client)).name)

    kept = here.run(work)
    click.echo(schedule_json(kept, here.clock.now()).decode() if as_json else f"The schedule {kept.name} {told}.")
