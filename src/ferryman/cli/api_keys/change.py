"""`ferryman api-keys add`, `rotate` and `revoke`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click
import msgspec

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import CommandClock, session
from ferryman.cli.words import duration, rate, scope
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.client.access import GRACE
from ferryman.domain.access import Issued, Right
from ferryman.domain.job import MICROS
from ferryman.http.api_keys import Revoked, issued_json

_SCOPES: Final = ", ".join(Right)
_SENT: Final = "Sent as `Authorization: Bearer ...`. It cannot be shown again."


@click.command()
@click.argument("name")
@click.option("--scope", "scopes", type=scope, multiple=True, required=True, help=f"{_SCOPES}; repeatable.")
@click.option("--queue", "queues", multiple=True, metavar="QUEUE", help="Limit it to this queue; repeatable.")
@click.option("--expires", type=duration, metavar="DURATION", help="How long it lives, such as 90d; else for ever.")
@click.option("--rate", type=rate, metavar="RATE", help="Requests per process: 100/s, 5/m, 20/h or 1000/d.")
@click.option("--burst", type=int, metavar="N", help="So many requests at once after a lull; else a second's worth.")
@click.option("--quota", type=int, metavar="N", help="So many jobs a day by UTC, in all processes together.")
@store_options
@json_option("Write the key as one JSON object, its text as `key`.")
@click.pass_obj
def add(
    world: World,
    /,
    *,
    name: str,
    scopes: tuple[Right, ...],
    queues: tuple[str, ...],
    expires: float | None,
    rate: float | None,
    burst: int | None,
    quota: int | None,
    as_json: bool,
    target: str | None,
    database_url: str | None,
) -> None:
    """Make an API key for NAME, and print it: it is shown only now.

    \b
      ferryman api-keys add web --scope enqueue --scope read
      ferryman api-keys add mailer --scope operate --queue mail --expires 90d --rate 100/s

    operate has read with it, and admin has everything.
    """
    here = session(world, target, {"database_url": database_url})

    async def work(client: Client) -> tuple[Issued, Mapping[str, int]]:
        expires_at = None if expires is None else here.clock.now() + round(expires * MICROS)
        issued = await client.access.add(
            name, scopes, queues=queues or None, rate=rate, burst=burst, quota=quota, expires_at=expires_at
        )
        return issued, await client.access.taken()

    _tell(*here.run(work, create=True), here.clock, as_json=as_json)


@click.command()
@click.argument("name")
@click.option(
    "--grace", type=duration, default=f"{GRACE:g}s", metavar="DURATION", help="How long the former key goes on (1h)."
)
@store_options
@json_option("Write the key as one JSON object, its text as `key`.")
@click.pass_obj
def rotate(
    world: World, /, *, name: str, grace: float, as_json: bool, target: str | None, database_url: str | None
) -> None:
    """Make the key that follows the one of NAME, and print it: it is shown only now.

    It opens the same, and lives for as long. The former one goes on for the grace: give its holders the new one
    meanwhile. --grace 0 ends it at once.
    """
    here = session(world, target, {"database_url": database_url})

    async def work(client: Client) -> tuple[Issued, Mapping[str, int]]:
        return await client.access.rotate(name, grace), await client.access.taken()

    _tell(*here.run(work), here.clock, as_json=as_json)


@click.command()
@click.argument("name")
@click.option("--id", metavar="ID", help="Only this one of its keys; ls shows ids.")
@click.option("--forget", is_flag=True, help="Drop them, too. A store that has no key left is open again.")
@store_options
@json_option("Write how many there were as one JSON object.")
@click.pass_obj
def revoke(
    world: World,
    /,
    *,
    name: str,
    id: str | None,
    forget: bool,
    as_json: bool,
    target: str | None,
    database_url: str | None,
) -> None:
    """End the API keys of NAME. Running nodes refuse them within a second.

    A key that has ended stays listed, and the API stays closed, be it the last one.
    """
    here = session(world, target, {"database_url": database_url})
    count = here.run(lambda client: client.access.revoke(name, id, forget=forget))
    if as_json:
        click.echo(msgspec.json.encode(Revoked(count)).decode())
    else:
        click.echo(f"{count} API key{'' if count == 1 else 's'} of {name} revoked.")


def _tell(issued: Issued, taken: Mapping[str, int], clock: CommandClock, *, as_json: bool) -> None:
    if as_json:
        click.echo(issued_json(issued, clock.now(), taken).decode())
    else:
        click.echo(issued.text.reveal())
        click.echo(_SENT, err=True)  # so that $(ferryman api-keys add ...) is the key alone
