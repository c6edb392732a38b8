"""`ferryman operations ls` and `show`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain, span, table
from ferryman.cli.world import World
from ferryman.client.operations import change_of
from ferryman.domain.options import rate_in_words
from ferryman.http.bulk_wire import operation_json, operations_json
from ferryman.http.wire import write_moment
from ferryman.store.bulk import BulkOperation

HEAD: Final = ("ID", "ACTION", "STATUS", "EXAMINED", "CHANGED", "SKIPPED", "AGE", "BY", "FILTER")
_WIDTH: Final = 13


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many.")
@store_options
@json_option("Write a JSON array, as GET /operations does.")
@click.pass_obj
def ls(world: World, /, *, limit: int, as_json: bool, target: str | None, database_url: str | None) -> None:
    """List operations, the newest first. One that has ended is told of for seven days.

    SKIPPED are those that fitted and could not be changed, such as one whose unique key another job has by now.
    """
    here = session(world, target, {"database_url": database_url})
    found = here.run(lambda client: client.operations.list(limit=limit))
    now = here.clock.now()
    if as_json:
        click.echo(operations_json(found).decode())
    else:
        click.echo(table(HEAD, [_row(each, now) for each in found]) if found else "No operations.")


@click.command()
@click.argument("id")
@store_options
@json_option("Write one JSON object, as GET /operations/ID does.")
@click.pass_obj
def show(world: World, /, *, id: str, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Show the operation ID, and how far it is."""
    kept = session(world, target, {"database_url": database_url}).run(lambda client: client.operations.get(id))
    click.echo(operation_json(kept).decode() if as_json else "\n".join(_lines(kept)))


def counts(kept: BulkOperation) -> str:
    """How far it is, in words."""
    return f"{kept.changed} changed, {kept.skipped} skipped, of {kept.examined} examined"


def _row(kept: BulkOperation, now: int) -> tuple[str, ...]:
    wish = kept.wish
    numbers = (str(kept.examined), str(kept.changed), str(kept.skipped))
    return (kept.id, wish.action, kept.status, *numbers, span(now - wish.created_at), wish.by, plain(wish.filter))


def _lines(kept: BulkOperation) -> Iterator[str]:
    wish = kept.wish
    yield _line("id", kept.id)
    yield _line("action", wish.action)
    yield _line("status", kept.status)
    yield _line("filter", wish.filter)
    if wish.queues is not None:
        yield _line("queues", ", ".join(wish.queues))
    for name, value in (change_of(wish.placement) or {}).items():
        if value is not None:
            yield _line(f"to {name}", str(value))
    if wish.rate is not None:
        yield _line("rate", rate_in_words(wish.rate))
    yield _line("so far", counts(kept))
    yield _line("by", wish.by)
    yield _line("created_at", write_moment(wish.created_at))
    if kept.finished_at is not None:
        yield _line("finished_at", write_moment(kept.finished_at))
    if kept.error is not None:
        yield _line("error", kept.error)


def _line(name: str, text: str) -> str:
    return f"{name:<{_WIDTH}}{plain(text)}".rstrip()
