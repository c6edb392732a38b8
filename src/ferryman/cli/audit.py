"""`ferryman audit`: who changed what."""

from __future__ import annotations

from typing import Final

import click
import msgspec

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain, table
from ferryman.cli.words import one_of
from ferryman.cli.world import World
from ferryman.domain.audit import Action
from ferryman.http.audit import entries_json
from ferryman.http.wire import write_moment
from ferryman.store.protocol import AuditFilter, Entry

HEAD: Final = ("NUMBER", "AT", "BY", "ACTION", "OF", "DETAIL")
ACTIONS: Final = tuple(each.value for each in Action)


@click.command()
@click.option("--by", "actor", metavar="WHO", help="Only what they did, such as http or cli:anna@host.")
@click.option("--action", type=one_of(ACTIONS), metavar="WORD", help="Only this, such as job.cancel.")
@click.option("--of", "what", metavar="NAME", help="Only what was done to this job, queue, type, key or schedule.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
@click.option("--after", type=click.IntRange(1), metavar="NUMBER", help="Only those that came before this one.")
@store_options
@json_option("Write a JSON array, one object per change.")
@click.pass_obj
def audit(
    world: World,
    /,
    *,
    actor: str | None,
    action: str | None,
    what: str | None,
    limit: int,
    after: int | None,
    as_json: bool,
    target: str | None,
    database_url: str | None,
) -> None:
    """Show who changed what in the last 90 days, the newest first.

    \b
      ferryman audit --of 01890a5d-ac96-774b-bcce-b302099a8057
      ferryman audit --by cli:anna@host --action schedule.drop

    A change of many jobs has one line for each 500 of them: it names none, but says how many they were.
    """
    here = session(world, target, {"database_url": database_url})
    found = here.run(lambda client: client.audit(AuditFilter(actor, action, what), after, limit))
    if as_json:
        click.echo(entries_json(found).decode())
    else:
        click.echo(table(HEAD, [_row(each) for each in found]) if found else "Nobody has changed anything.")


def _row(entry: Entry) -> tuple[str, ...]:
    deed = entry.deed
    detail = msgspec.json.encode(deed.detail).decode() if deed.detail else ""
    texts = (deed.actor, deed.action, deed.target, detail)
    return (str(entry.number), f"{write_moment(deed.at)[:19]}Z", *map(plain, texts))
