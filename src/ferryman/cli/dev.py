"""`ferryman dev`: serves an app while somebody works on it."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from ferryman.cli.changes import Changes, wait_by_looking
from ferryman.cli.options import arguments, given, settings_options
from ferryman.cli.reload import Reloader
from ferryman.cli.world import World
from ferryman.settings import TABLE, examine

try:
    from ferryman.cli.watching import wait_to_be_told
except ImportError:  # without watchfiles the files are looked at
    wait_for_changes = wait_by_looking
else:
    wait_for_changes = wait_to_be_told

_DEFAULTS: Final = {"log_jobs": "true"}
"""What is otherwise here than in `serve`, unless somebody says so."""


@click.command()
@click.argument("target", required=False)
@settings_options
@click.pass_obj
def dev(world: World, /, target: str | None, **flags: Any) -> int:
    """Serve TARGET, and start it again whenever its code changes.

    It is `ferryman serve` with the same TARGET and flags, but LOG_JOBS is true unless said otherwise, and a
    PostgreSQL database is migrated before each start. When a .py file below TARGET's folder changes, or
    ferryman.toml or pyproject.toml in this one, it is stopped in order and started again. A file that cannot
    be loaded is reported; the next change is another try.

    A handler that runs is given the stop deadline to end before that; --stop-deadline 1s makes it quick.
    Ctrl-C ends it all. With the package watchfiles changes are noticed at once, else within half a second.
    """
    return asyncio.run(_run(world, target, given(flags)))


async def _run(world: World, target: str | None, flags: Mapping[str, str]) -> int:
    command = serve_arguments(target, flags)
    environment = child_environment(world, flags)
    source = source_of(target, world.folder)
    changes = Changes(source, world.folder, wait_for_changes(source, world.folder))

    async def start() -> Process:
        # PR_SET_PDEATHSIG counts from this thread, which lives as long as the process: it runs the event loop
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ferryman.cli.offspring",
            str(os.getpid()),
            *command,
            cwd=world.folder,
            env=environment,
            stdin=DEVNULL,
            process_group=0,
        )

    return await Reloader(start, changes.next, _say).run()


def serve_arguments(target: str | None, flags: Mapping[str, str]) -> list[str]:
    """The command line of the child."""
    return ["serve", "--migrate", *arguments(flags), *([] if target is None else ["--", target])]


def child_environment(world: World, flags: Mapping[str, str]) -> dict[str, str]:
    """Ours, with the defaults of `dev` for what nobody has said. What is wrong with a setting is the child's to say."""
    loaded, _ = examine(flags, world.environ, world.folder)
    usual = {each.variable: _DEFAULTS[each.field] for each in TABLE if each.field in _DEFAULTS}
    said = {each.variable for each in TABLE if loaded.sources[each.field] != "default"}
    return {**world.environ, **{name: value for name, value in usual.items() if name not in said}}


def source_of(target: str | None, folder: Path) -> Path:
    """The folder of a target; of a module the current one."""
    place = (target or "").partition(":")[0]
    is_file = place.endswith(".py") or "/" in place
    source = (folder / place).resolve().parent if is_file else folder.resolve()
    return source if source.is_dir() else folder.resolve()


def _say(text: str) -> None:
    click.echo(f"{click.style('ferryman dev', bold=True)}: {text}", err=True)
