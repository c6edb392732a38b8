"""`ferryman keys ls` and `show`."""

from __future__ import annotations

from typing import Final

import click
import msgspec

from ferryman.cli.options import json_option, store_options
from ferryman.cli.session import session
from ferryman.cli.table import plain, table
from ferryman.cli.world import World
from ferryman.domain.options import rate_in_words
from ferryman.http.keys import key_of, keys_json
from ferryman.store.protocol import KeyStatus

HEAD: Final = ("KEY", "LETS IN", "PENDING OR RUNNING", "WAITING", "STATE")


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
@click.option("--after", metavar="KEY", help="Only those whose texts come after this one.")
@store_options
@json_option("Write a JSON array, one object per key.")
@click.pass_obj
def ls(
    world: World, /, *, limit: int, after: str | None, as_json: bool, target: str | None, database_url: str | None
) -> None:
    """List the keys that jobs use or that were set or paused, in the order of their texts.

    LETS IN is how many of its jobs may be on their way at once, how many may start in which time, and its share.
    """
    found = session(world, target, {"database_url": database_url}).run(lambda client: client.keys.list(after, limit))
    if as_json:
        click.echo(keys_json(found).decode())
    else:
        click.echo(table(HEAD, [row(each) for each in found]) if found else "No key is in use.")


@click.command()
@click.argument("key")
@store_options
@json_option("Write one JSON object.")
@click.pass_obj
def show(world: World, /, key: str, *, as_json: bool, target: str | None, database_url: str | None) -> None:
    """Show what the gate of KEY keeps to, and how many of its jobs stand where."""
    tell(session(world, target, {"database_url": database_url}).run(lambda client: client.keys.get(key)), as_json)


def tell(status: KeyStatus, as_json: bool) -> None:
    """Print one key."""
    click.echo(msgspec.json.encode(key_of(status)).decode() if as_json else table(HEAD, [row(status)]))


def row(status: KeyStatus) -> tuple[str, ...]:
    """A line of the table."""
    return (plain(status.key), rule_in_words(status), str(status.slots), str(status.waiting), state_in_words(status))


def rule_in_words(status: KeyStatus) -> str:
    """What the gate keeps to."""
    rule = status.rule
    if rule.strict:
        return f"one after the other, a failed one {'holds' if rule.on_failure == 'hold' else 'passes'}"
    words: list[str] = []
    if rule.concurrency is not None:
        words.append(f"{rule.concurrency} at once")
    if rule.rate is not None:
        words.append(f"{rate_in_words(rule.rate)}, {rule.burst} in a burst")
    words = words or ["everybody"]
    if rule.share is not None:
        words.append(f"share {rule.share}")
    return ", ".join(words)


def state_in_words(status: KeyStatus) -> str:
    """What a person did to it, and what it waits for."""
    words = [word for word, holds in (("paused", status.paused), ("set by hand", status.pinned)) if holds]
    words += [f"held up by {id}" for id in status.held_by]
    return ", ".join(words)
