"""Asks a person before many jobs are changed."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from ferryman.cli.world import World
from ferryman.domain.errors import NotConfirmed


def asking(world: World, verb: str, *, yes: bool) -> Callable[[str], bool]:
    """What asks whether to do so to so many jobs. Raises NotConfirmed: there is nobody to ask."""
    if yes:
        return lambda _: True
    if not world.is_terminal(sys.stdin):
        raise NotConfirmed(
            f"Nobody can be asked whether to {verb} every job that fits.",
            why="The input is no terminal; nothing was changed.",
            hint="Look with `ferryman jobs ls` and the same filters, then say --yes.",
        )
    return lambda count: click.confirm(f"{verb.capitalize()} {count}?", err=True)
