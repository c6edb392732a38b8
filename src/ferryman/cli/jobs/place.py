"""`ferryman jobs reprioritise`, `reschedule` and `move`: another place for jobs that wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ferryman.cli.jobs.change import Change, Changed, change_jobs, change_options
from ferryman.cli.words import duration, moment
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.job import Job
from ferryman.domain.state import MOVABLE
from ferryman.store.controlling import Placement
from ferryman.store.protocol import JobFilter


@click.command()
@click.option("--to", "priority", type=click.IntRange(0, 9), required=True, help="0 runs first, 9 last.")
@change_options
@click.pass_obj
def reprioritise(world: World, /, *, priority: int, **asked: Any) -> int:
    """Give jobs that wait another priority.

    \b
      ferryman jobs reprioritise 01890a5d-ac96-774b-bcce-b302099a8057 --to 0
      ferryman jobs reprioritise --type report --to 9

    A job comes to the end of the line that it moves to; one that has the priority already keeps its place.
    """
    return change_jobs(
        world, _place("reprioritise", lambda client: client.controls.placement(priority=priority)), **asked
    )


@click.command()
@click.option("--delay", type=duration, metavar="TIME", help="So long from now, such as 30s, 5m or 2h.")
@click.option("--at", "run_at", type=moment, metavar="TIME", help="At a time, such as 2030-01-31T12:00:00Z.")
@click.option("--now", "now", is_flag=True, help="At once.")
@change_options
@click.pass_obj
def reschedule(world: World, /, *, delay: float | None, run_at: int | None, now: bool, **asked: Any) -> int:
    """Give jobs that wait another time: later, sooner, or at once.

    \b
      ferryman jobs reschedule 01890a5d-ac96-774b-bcce-b302099a8057 --delay 2h
      ferryman jobs reschedule --type report --status scheduled --now
    """
    if (delay is not None) + (run_at is not None) + now != 1:
        raise click.UsageError("Say when: one of --delay, --at and --now.")
    wait = 0.0 if now else delay
    return change_jobs(
        world, _place("reschedule", lambda client: client.controls.placement(run_at=run_at, delay=wait)), **asked
    )


@click.command()
@click.option("--to", "name", required=True, metavar="NAME", help="The queue.")
@change_options
@click.pass_obj
def move(world: World, /, *, name: str, **asked: Any) -> int:
    """Put jobs that wait into another queue.

    \b
      ferryman jobs move 01890a5d-ac96-774b-bcce-b302099a8057 --to bulk
      ferryman jobs move --queue mail --type newsletter --to bulk

    A job comes to the end of the line there. Some node has to serve the queue.
    """
    return change_jobs(world, _place("move", lambda client: client.controls.placement(queue=name)), **asked)


def _place(verb: str, wish: Callable[[Client], Placement]) -> Change:
    async def one(client: Client, id: str) -> Job:
        return await client.controls.place(id, wish(client))

    async def all_of(client: Client, wanted: JobFilter, before: int) -> Changed:
        return Changed(count=await client.controls.place_all(wanted, wish(client), before))

    return Change(verb, one, MOVABLE, MOVABLE, "changed", all_of)
