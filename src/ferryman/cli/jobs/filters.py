"""Which jobs a command is about: a filter in words (docs/filters.md), and options for the commonest terms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import click
import msgspec

from ferryman.cli.words import status
from ferryman.client import Client
from ferryman.domain import filters
from ferryman.domain.filters import JobFilter
from ferryman.domain.job import Job
from ferryman.domain.state import Status

Command = TypeVar("Command", bound=Callable[..., Any])
NAMES: Final = ("statuses", "types", "queues", "tags")
PAGE: Final = 1000


def filter_words(command: Command) -> Command:
    """Add the words of a filter, one term or more in each."""
    return click.argument("words", nargs=-1, metavar="[FILTER]...")(command)


def filter_options(command: Command) -> Command:
    """Add --status, --type, --queue and --tag."""
    for name, flag, value, text in reversed(_ROWS):
        kind = status if name == "statuses" else str
        command = click.option(flag, name, multiple=True, type=kind, metavar=value, help=text)(command)
    return command


_ROWS: Final = (
    ("statuses", "--status", "STATUS", f"{', '.join(Status)}; repeatable, several mean either."),
    ("types", "--type", "TYPE", "Jobs of this type, in which * is any text; repeatable."),
    ("queues", "--queue", "NAME", "Jobs in this queue; repeatable."),
    ("tags", "--tag", "WORD", "Jobs with this tag; repeatable."),
)


def filter_of(asked: Mapping[str, Sequence[str]], words: Sequence[str], now: int) -> JobFilter:
    """What the options and the words ask for together; `now` is in microseconds. Raises BadFilter."""
    statuses, types, queues, tags = (frozenset(asked[name]) for name in NAMES)
    return msgspec.structs.replace(
        filters.parse(" ".join(words), now),
        statuses=frozenset(map(Status, statuses)),
        types=types,
        queues=queues,
        tags=tags,
        limit=PAGE,
    )


async def pages(client: Client, filter: JobFilter) -> AsyncIterator[Sequence[Job]]:
    """Every job that fits, oldest first, a page at a time, without bodies; what changes meanwhile may be missed, none
    comes twice."""
    filter = msgspec.structs.replace(filter, bodies=False)
    while True:
        page = await client.list(filter)
        if page:
            yield page
        if page.next is None:
            return
        filter = msgspec.structs.replace(filter, after=page.next)
