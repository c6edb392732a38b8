"""Which jobs a command is about: the same filters as GET /jobs has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import click
import msgspec

from ferryman.cli.words import status
from ferryman.client import Client
from ferryman.domain.job import Job
from ferryman.domain.state import Status
from ferryman.store.protocol import JobFilter

Command = TypeVar("Command", bound=Callable[..., Any])
NAMES: Final = ("statuses", "types", "queues", "tags")
PAGE: Final = 1000


def filter_options(command: Command) -> Command:
    """Add --status, --type, --queue and --tag."""
    for name, flag, value, text in reversed(_ROWS):
        kind = status if name == "statuses" else str
        command = click.option(flag, name, multiple=True, type=kind, metavar=value, help=text)(command)
    return command


_ROWS: Final = (
    ("statuses", "--status", "STATUS", f"{', '.join(Status)}; repeatable, several mean either."),
    ("types", "--type", "TYPE", "Jobs of this type; repeatable."),
    ("queues", "--queue", "NAME", "Jobs in this queue; repeatable."),
    ("tags", "--tag", "WORD", "Jobs with this tag; repeatable."),
)


def filter_of(asked: Mapping[str, Sequence[str]]) -> JobFilter:
    """The filter that the options make."""
    statuses, types, queues, tags = (frozenset(asked[name]) for name in NAMES)
    return JobFilter(frozenset(map(Status, statuses)), types, queues, tags, limit=PAGE)


async def pages(client: Client, filter: JobFilter) -> AsyncIterator[Sequence[Job]]:
    """Every job that fits, oldest first, a page at a time; what changes meanwhile may be missed, none comes twice."""
    while page := await client.list(filter):
        yield page
        if len(page) < filter.limit:
            return
        filter = msgspec.structs.replace(filter, after=page[-1].id)
