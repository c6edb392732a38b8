"""`ferryman errors`: what attempts have failed of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click
import msgspec

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain, table
from ferryman.cli.words import moment
from ferryman.cli.world import World
from ferryman.domain.moments import write_moment
from ferryman.http.error_groups import error_group_of, error_groups_json
from ferryman.http.query import ERRORS_MAX
from ferryman.store.protocol import ErrorGroup, GroupFilter

HEAD: Final = ("GROUP", "LAST SEEN", "COUNT", "FAILED JOBS", "TYPES", "ERROR")
TEXT: Final = 100
"""Characters of an error that a line shows."""


@click.command()
@click.argument("group", required=False)
@click.option("--queue", "queues", multiple=True, metavar="NAME", help="Only what jobs of this queue failed of.")
@click.option(
    "--type", "types", multiple=True, metavar="NAME", help="Only what jobs of this type failed of; * is any text."
)
@click.option("--from", "start", type=moment, metavar="TIME", help="Only what was seen last then or later.")
@click.option("--to", "end", type=moment, metavar="TIME", help="Only what was seen last before.")
@click.option("--limit", type=click.IntRange(1, ERRORS_MAX), default=100, show_default=True, help="How many at most.")
@store_options
@json_option("Write JSON, as GET /errors gives it.")
@click.pass_obj
def errors(
    world: World,
    /,
    *,
    group: str | None,
    queues: tuple[str, ...],
    types: tuple[str, ...],
    start: int | None,
    end: int | None,
    limit: int,
    as_json: bool,
    target: str | None,
    database_url: str | None,
) -> None:
    """Show what attempts have failed of in the last 90 days, like errors as one, the latest first; or all of GROUP.

    \b
      ferryman errors --type 'mail.*'
      ferryman errors 9f2c01d4a37be615
      ferryman operations add retry 'status:failed group:9f2c01d4a37be615'

    Errors are alike where the exception, the place in your code and the message are the same, but for numbers, ids,
    paths and what stands in quotes.
    """
    here = session(world, target, {"database_url": database_url})
    if group is not None:
        one = here.run(lambda client: client.errors.get(group))
        click.echo(msgspec.json.encode(error_group_of(one)).decode() if as_json else "\n".join(_lines(one)))
        return
    asked = GroupFilter(queues=frozenset(queues), types=frozenset(types), start=start, end=end, limit=limit)
    found = here.run(lambda client: client.errors.list(asked))
    if as_json:
        click.echo(error_groups_json(found).decode())
    else:
        click.echo(table(HEAD, [_row(each) for each in found]) if found else "Nothing has failed.")


def _row(found: ErrorGroup) -> tuple[str, ...]:
    names = plain(", ".join(found.types))
    said = plain(f"{found.group.exception}: {found.group.message}")[:TEXT]
    return (found.group.id, f"{write_moment(found.last_at)[:19]}Z", str(found.count), _jobs(found), names, said)


def _jobs(found: ErrorGroup) -> str:
    return f"{found.jobs}{'+' * found.at_least}"


def _lines(found: ErrorGroup) -> Iterator[str]:
    """Everything that is known of a group."""
    group = found.group
    for name, text in (
        ("group", group.id),
        ("error", f"{group.code} {group.exception}: {group.message}"),
        ("in", group.frame or "(nobody knows)"),
        ("failed attempts", f"{found.count}, of these in the last 24 hours {sum(found.lately)}"),
        ("failed jobs", _jobs(found)),
        ("first seen", write_moment(found.first_at)),
        ("last seen", write_moment(found.last_at)),
        ("types", ", ".join(found.types)),
        ("queues", ", ".join(found.queues)),
        ("versions", ", ".join(found.versions)),
        ("latest job", found.job),
    ):
        yield f"{name + ':':<17}{plain(text)}"
