"""From settings to a client of this process's own, to what admits jobs without one, and to the limits of a test."""

from __future__ import annotations

import importlib
import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ferryman.client import Client
from ferryman.client.admission import Admission
from ferryman.domain.audit import PYTHON
from ferryman.domain.errors import BadSetting
from ferryman.domain.events import Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS
from ferryman.engine.clock import SystemClock
from ferryman.engine.registry import Registry
from ferryman.engine.runner import InlineRunner
from ferryman.settings import Settings, load
from ferryman.store.bell import Ringing
from ferryman.store.factory import MEMORY, SERVER, bell_of, joins_of, make_store
from ferryman.store.forks import AroundForks
from ferryman.store.protocol import Clock, Retention

if TYPE_CHECKING:
    from ferryman.testing.kit import Limits


def connect(overrides: Mapping[str, object], registry: Registry, around_forks: AroundForks) -> Client:
    """A client of this process's own, as the settings say. Raises SettingsError."""
    settings = load(registry.settings, os.environ, Path.cwd(), overrides).settings
    if settings.database_url.startswith(SERVER):
        return _remote_client(settings, registry)
    if registry.settings and settings.database_url == MEMORY:
        raise BadSetting(
            "DATABASE_URL is memory://, which a handler in a worker process cannot reach.",
            why="The jobs are in the memory of its node.",
            hint="Use sqlite:///, or leave process=True out.",
        )
    return client_of(settings, registry, SystemClock(), around_forks)


def _remote_client(settings: Settings, registry: Registry) -> Client:
    """What has the verbs of a client that an app says, and says them to a server; only who uses it has it loaded.

    Raises:
        ToolMissing: what that needs is not installed.
    """
    remote = importlib.import_module("ferryman.http.remote")
    made: Client = remote.client_of(
        settings.database_url, api_key=settings.api_key, catalogue=registry, max_body=settings.max_body
    )
    return made


def admission(overrides: Mapping[str, object], registry: Registry) -> Admission:
    """What admits jobs without a client, as the settings say that this process sees. Raises SettingsError."""
    settings = load(registry.settings, os.environ, Path.cwd(), overrides).settings
    return Admission(
        registry,
        SystemClock(),
        IdMinter(random.Random()),
        max_body=settings.max_body,
        accept_unknown_types=settings.accept_unknown_types,
    )


def client_of(
    settings: Settings,
    registry: Registry,
    clock: Clock,
    around_forks: AroundForks | None = None,
    actor: str = PYTHON,
) -> Client:
    """A client, not open yet, that lives on one event loop and shares it with nobody. Raises BadSetting."""
    kept = settings.retention
    ids = IdMinter(random.Random())
    store = make_store(
        settings.database_url,
        clock=clock,
        ids=ids,
        retention=Retention(kept.completed * MICROS, kept.failed * MICROS, kept.cancelled * MICROS),
        runner=_on_the_clients_loop,
        around_forks=around_forks,
    )
    bell = bell_of(store)
    return Client(
        store,
        clock,
        ids,
        Ringing(bell),
        events=Events(),
        catalogue=registry,
        max_body=settings.max_body,
        max_pending=settings.max_pending,
        max_age=settings.max_age,
        accept_unknown_types=settings.accept_unknown_types,
        on_close=bell.close,
        joins=joins_of(store),
        actor=actor,
    )


def limits(overrides: Mapping[str, object], make: type[Limits]) -> Limits:
    """What the settings say that holds in a test, too. Raises SettingsError."""
    settings = load({}, os.environ, Path.cwd(), overrides).settings
    return make(
        max_body=settings.max_body,
        max_pending=settings.max_pending,
        accept_unknown_types=settings.accept_unknown_types,
        default_timeout=settings.default_timeout,
        max_result=settings.max_result,
    )


def _on_the_clients_loop(_name: str) -> InlineRunner:
    """The client's loop has nothing else to do: its thread may as well be the one that writes and reads."""
    return InlineRunner()
