"""`ferryman api-keys ls`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import click

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import span, table
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.domain.access import ApiKey
from ferryman.domain.options import rate_in_words
from ferryman.http.api_keys import keys_json

HEAD: Final = ("NAME", "ID", "SCOPES", "QUEUES", "RATE", "QUOTA", "EXPIRES", "LAST USED")


@click.command()
@store_options
@json_option("Write a JSON array, as GET /api-keys does.")
@click.pass_obj
def ls(world: World, /, *, as_json: bool, target: str | None, database_url: str | None) -> None:
    """List the API keys by name, also those that have ended. None is shown: nobody can know them any more.

    LAST USED is up to a minute old.
    """
    here = session(world, target, {"database_url": database_url})

    async def work(client: Client) -> tuple[Sequence[ApiKey], Mapping[str, int]]:
        return await client.access.list(), await client.access.taken()

    found, taken = here.run(work)
    now = here.clock.now()
    if as_json:
        click.echo(keys_json(found, now, taken).decode())
    else:
        click.echo(table(HEAD, [_row(key, now, taken) for key in found]) if found else "No API keys.")


def _row(key: ApiKey, now: int, taken: Mapping[str, int]) -> tuple[str, ...]:
    return (
        key.name,
        key.id,
        ",".join(key.rights),
        "all" if key.queues is None else ",".join(key.queues),
        "" if key.rate is None else f"{rate_in_words(key.rate)}, {key.burst} in a burst",
        "" if key.quota is None else f"{taken.get(key.name, 0)} of {key.quota} today",
        _expiry(key, now),
        "never" if key.last_used_at is None else f"{span(now - key.last_used_at)} ago",
    )


def _expiry(key: ApiKey, now: int) -> str:
    if key.expires_at is None:
        return "never"
    return f"in {span(key.expires_at - now)}" if key.lives(now) else "has ended"
