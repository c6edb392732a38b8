"""`ferryman jobs delete`: jobs that have ended, gone before their retention has passed."""

from __future__ import annotations

from typing import Any, Final

import click

from ferryman.cli.jobs.change import Change, change_jobs, change_options
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.job import Job
from ferryman.domain.state import TERMINAL


@click.command()
@change_options
@click.pass_obj
def delete(world: World, /, **asked: Any) -> int:
    """Delete jobs that have ended, with their attempts, errors and results.

    \b
      ferryman jobs delete 01890a5d-ac96-774b-bcce-b302099a8057
      ferryman jobs delete 'type:import payload.user.id:42' --dry-run

    Nothing brings them back. With filters it says how many jobs they are and asks; --yes does without, and off a
    terminal it is needed. One that was claimed together with others which have not ended is left alone.
    """
    return change_jobs(world, DELETE, **asked)


async def _delete(client: Client, id: str) -> Job:
    job = await client.get(id)
    await client.controls.delete(id)
    return job


DELETE: Final = Change("delete", _delete, TERMINAL, TERMINAL, "deleted", is_end=True)
