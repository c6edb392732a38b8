"""`ferryman demo`: something to look at, before there is an app."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from ferryman.app import Ferryman
from ferryman.cli.options import given, some_options
from ferryman.cli.upgrading import upgrade_of
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.connecting import client_of
from ferryman.demo.live import Live
from ferryman.domain.errors import BadSetting, PortInUse
from ferryman.domain.state import TERMINAL
from ferryman.engine.clock import SystemClock
from ferryman.main import Server
from ferryman.observe import logs
from ferryman.program import run
from ferryman.settings import Settings, load
from ferryman.settings.kinds import hide_password
from ferryman.store.factory import MEMORY
from ferryman.store.protocol import Counts
from ferryman.supervise.role import EVERYTHING, Role

_USUAL: Final = {"worker_count": 20, "stop_deadline": 2.0, "log_level": "error"}
"""What is otherwise here than elsewhere, unless somebody says so: room for long jobs, a quick end, a quiet terminal."""
_RATES: Final = click.FloatRange(0.1, 1000)


@click.command()
@click.option("--live", is_flag=True, help="Serve HTTP, and keep jobs coming until Ctrl-C.")
@click.option("--rate", type=_RATES, default=10.0, show_default=True, help="How many jobs come up a second.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another number is another course of events.")
@some_options("database_url", "host", "port", "worker_count")
@click.pass_obj
def demo(world: World, /, *, live: bool, rate: float, seed: int, **flags: Any) -> int:
    """Run the jobs of a shop: no app of yours is needed.

    There are mails, charges, pictures, reports and webhooks: quick and slow ones, failures of many kinds, retries,
    schedules, limits, queues that are paused. The handlers only rest; nothing leaves this machine.

    With --live it serves HTTP, and jobs keep coming, for looking around. Else some hundred are run and counted.

    The jobs are in a SQLite file that goes when this ends, unless --database-url or DATABASE_URL names another
    database, in which no other app may have types. Of settings files nothing is read.
    """
    with tempfile.TemporaryDirectory(prefix="ferryman-demo-") as name, _without_failures():
        shop = Live(rate, seed)
        settings = _settings(world, given(flags), Path(name))
        if settings.database_url != MEMORY:
            upgrade_of(world, settings).apply()
            asyncio.run(_refuse_others(settings, shop.app))
        return _serve_somewhere(world, settings, shop) if live else _run_some(settings, shop)


@contextmanager
def _without_failures() -> Generator[None]:
    """Jobs fail here all the time, and are to; on the terminal they would bury the rest."""
    told = logging.getLogger("ferryman.jobs")
    before = told.level
    told.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        told.setLevel(before)


def _settings(world: World, flags: Mapping[str, str], folder: Path) -> Settings:
    """Those of flags and environment; the folder, which is empty, is where a settings file would be."""
    loaded = load(flags, world.environ, folder)
    usual = {**_USUAL, "database_url": f"sqlite:///{folder / 'demo.db'}"}
    unsaid = {field: value for field, value in usual.items() if loaded.sources[field] == "default"}
    return msgspec.structs.replace(loaded.settings, processes=0, **unsaid)


async def _refuse_others(settings: Settings, app: Ferryman) -> None:
    """The handlers here would run jobs of other apps, too, and only pretend. Raises BadSetting."""
    client: Client = client_of(settings, app.registry, SystemClock())
    try:
        await client.open()
        others = sorted(set(await client.types()) - app.registry.types)
    finally:
        await client.close()
    if others:
        raise BadSetting(
            f"{hide_password(settings.database_url)} belongs to another app.",
            why=f"It has the type {others[0]}; the demonstration would only pretend to run jobs.",
            hint="Leave DATABASE_URL out, or name an empty database.",
        )


def _run_some(settings: Settings, shop: Live) -> int:
    """Run the history of a shop, and count it."""
    pipe = logs.configure(settings.log_level)
    try:
        counts = asyncio.run(_history(settings, shop))
    finally:
        pipe.stop()
    ended = ", ".join(f"{counts.totals[status]} {status}" for status in sorted(TERMINAL))
    click.echo(f"{counts.totals['created']} jobs: {ended}; {sum(counts.standing.values())} are for later.")
    click.echo("To look around while jobs keep coming: ferryman demo --live")
    return 0


async def _history(settings: Settings, shop: Live) -> Counts:
    server = Server(settings, shop.app.registry, Role(http=False), attach=shop.app.attach)
    await server.start()
    try:
        await shop.load.history(server.client)
        return await server.client.counts()
    finally:
        await server.stop()


def _serve_somewhere(world: World, settings: Settings, shop: Live) -> int:
    """Serve at the port that is wanted, or else at any; gives the exit code. Raises StoreError, PortInUse."""
    try:
        return _serve(world, settings, shop)
    except PortInUse as error:
        if not settings.port:
            raise
        taken = error
    click.echo(f"{taken.what} {taken.why} Any other port will do.", err=True)
    return _serve(world, msgspec.structs.replace(settings, port=0), shop)


def _serve(world: World, settings: Settings, shop: Live) -> int:
    if world.run is not None:
        return world.run(settings, shop.app, EVERYTHING)
    shop.app.configure(settings)
    return run(settings, shop.app.registry, attach=shop.attach, ready=_say_where)


def _say_where(server: Server) -> None:
    click.echo(f"Look: {server.url}/  (Ctrl-C ends it)")
