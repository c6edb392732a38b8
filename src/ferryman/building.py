"""Makes parts of a process as its settings say; `main` puts them together."""

from __future__ import annotations

import os
import random

from starlette.types import ASGIApp

from ferryman.briefing import for_worker_processes
from ferryman.client import Client
from ferryman.client.admission import Admission
from ferryman.domain import strictjson
from ferryman.domain.events import Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS
from ferryman.engine.clock import SystemClock
from ferryman.engine.node import Node
from ferryman.engine.oom import OomKills
from ferryman.engine.processes import rss_of
from ferryman.engine.registry import Registry
from ferryman.engine.runner import ThreadRunner
from ferryman.engine.world import World
from ferryman.http.bounds import Bounds
from ferryman.http.server import HttpServer
from ferryman.http.tls import Tls
from ferryman.settings import Settings
from ferryman.store.factory import joins_of, make_store, many_transactions_of, transactions_of
from ferryman.store.protocol import Retention, Store, Wakeup


def store_of(settings: Settings, clock: SystemClock, ids: IdMinter) -> Store:
    """The store, not open yet. Raises BadSetting: none has such a URL."""
    kept = settings.retention
    return make_store(
        settings.database_url,
        clock=clock,
        ids=ids,
        retention=Retention(kept.completed * MICROS, kept.failed * MICROS, kept.cancelled * MICROS),
        runner=ThreadRunner,
        lease=settings.lease,
    )


def world_of(
    settings: Settings, registry: Registry, store: Store, clock: SystemClock, ids: IdMinter, wakeup: Wakeup
) -> World:
    """What the node of this process lives in, or the supervisor of those that have one."""
    admission = Admission(
        registry,
        clock,
        ids,
        max_body=settings.max_body,
        accept_unknown_types=settings.accept_unknown_types,
    )
    return World(
        store=store,
        registry=registry,
        clock=clock,
        ids=ids,
        events=Events(),
        wakeup=wakeup,
        encode=strictjson.encode,
        share=random.Random().random,
        settings=for_worker_processes(settings),
        oom_kills=OomKills(),
        rss=lambda: rss_of(os.getpid()) or None,
        admit=admission.admit,
        transactions=transactions_of(store),
        many_transactions=many_transactions_of(store),
    )


def http_of(settings: Settings, asgi: ASGIApp) -> HttpServer:
    """What serves an application, not bound yet."""
    certificate = settings.tls_certificate
    tls = None if certificate is None else Tls(certificate, settings.tls_key)
    bounds, proxies = Bounds(settings.max_connections), settings.trusted_proxies
    return HttpServer(asgi, settings.host, settings.port, bounds=bounds, tls=tls, trusted_proxies=proxies)


def client_of(settings: Settings, world: World, node: Node | None) -> Client:
    """The client of this process; jobs that it takes may start on the node at once."""
    return Client(
        world.store,
        world.clock,
        world.ids,
        world.wakeup,
        events=world.events,
        catalogue=world.registry,
        max_body=settings.max_body,
        max_pending=settings.max_pending,
        max_age=settings.max_age,
        accept_unknown_types=settings.accept_unknown_types,
        direct=node,
        joins=joins_of(world.store),
    )
