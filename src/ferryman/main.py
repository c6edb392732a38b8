"""Builds every part of a node from settings and registry, starts them in order, stops them in the reverse one.

The one file that knows all rooms.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, cast

from ferryman.client import Client
from ferryman.domain import strictjson
from ferryman.domain.errors import StoreError
from ferryman.domain.events import Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS
from ferryman.engine.clock import SystemClock
from ferryman.engine.node import Node
from ferryman.engine.registry import Registry
from ferryman.engine.runner import ThreadRunner
from ferryman.engine.startlist import Part, StartList
from ferryman.engine.wakeup import LocalWakeup, Wakeups
from ferryman.engine.world import NodeOptions, World
from ferryman.http.api import make_api
from ferryman.http.server import HttpServer
from ferryman.observe import logs
from ferryman.observe.joblog import JobLog
from ferryman.observe.looplag import LoopLag
from ferryman.observe.metrics import Metrics
from ferryman.settings import Settings
from ferryman.store.bell import Ringing
from ferryman.store.factory import make_bell, make_store
from ferryman.store.protocol import Retention, Store

try:
    import uvloop
except ImportError:  # where there is none, asyncio's own loop does
    new_event_loop = asyncio.new_event_loop
else:
    new_event_loop = uvloop.new_event_loop

CLEAN: Final = 0
FAILED: Final = 1
FORCED: Final = 4

HTTP_GRACE: Final = 5.0
"""Seconds in which requests under way may end when the server stops."""
SWITCH_INTERVAL: Final = 0.0002
"""Seconds after which a busy thread gives way. The store's thread waits for the interpreter after each of
SQLite's calls: with Python's default of 5 ms the busy event loop would leave it a third of its speed."""

Attach = Callable[[Client | None], None]


class Server:
    """One process: store, node and HTTP."""

    def __init__(self, settings: Settings, registry: Registry, *, attach: Attach | None = None) -> None:
        """Build every part; nothing is opened yet.

        `attach` is told the client that handlers should enqueue with, and None once it is gone.

        Raises:
            BadSetting: no store has such a URL.
        """
        self.url = ""
        self.events = Events()
        self._attach = attach or _nobody
        clock, ids, self._local = SystemClock(), IdMinter(random.Random()), LocalWakeup()
        self._name = ids.mint(clock.now())
        self._bell = make_bell(settings.database_url)
        wakeup = Wakeups(self._local, Ringing(self._bell))
        self._store = _make_store(settings, clock, ids)
        world = World(
            store=self._store,
            registry=registry,
            clock=clock,
            ids=ids,
            events=self.events,
            wakeup=wakeup,
            encode=strictjson.encode,
            share=random.Random().random,
        )
        self.node = Node(world, _node_options(settings), self._local)
        self.client = _make_client(settings, world, self.node)
        metrics = Metrics()
        self._lag = LoopLag(metrics.see_loop_lag)
        self.events.listen(metrics.listen)
        self.events.listen(JobLog(lambda: self.node.id or "", log_jobs=settings.log_jobs).listen)
        api = make_api(
            self.client,
            max_body=settings.max_body,
            stats=self.node,
            metrics=metrics,
            readiness=self._missing,
            new_request_id=lambda: f"{ids.number():016x}",
        )
        self._http = HttpServer(api, settings.host, settings.port)
        self._parts = self._start_list()

    def _start_list(self) -> StartList:
        """Every part in the order of starting; the stop goes the other way."""
        return StartList(
            # a taken port is found out before anything else happens; connections wait until "http" answers them
            Part("port", self._http.bind, self._http.unbind),
            # closes last, once everybody has written what there was to write
            Part("store", self.client.open, self.client.close),
            Part("loop lag", self._start_lag, self._stop_lag),
            # handlers enqueue from the first job to the last
            Part("app", self._attach_client, self._detach_client),
            # other processes that use the same store: they hear of what the node releases when it stops
            Part("doorbell", self._listen, self._deafen),
            # stops claiming, lets runs end within the stop deadline, writes their outcomes, retires
            Part("node", self.node.start, self.node.stop),
            # the first to stop: nothing new comes in, what is under way is answered
            Part("http", self._start_http, self._stop_http),
        )

    async def start(self) -> None:
        """Start every part. Raises StoreError, PortInUse."""
        await self._parts.start()

    async def stop(self) -> int:
        """Stop every part; gives the exit code."""
        await self._parts.stop()
        if self.node.stuck_threads:
            return FORCED
        return FAILED if self.node.unwritten else CLEAN

    async def _missing(self) -> list[str]:
        """Names what is not ready."""
        missing = [] if self.node.ready else ["node"]
        try:
            await self._store.known_types()
        except StoreError:
            missing.append("store")
        return missing

    async def _start_lag(self) -> None:
        self._lag.start()

    async def _stop_lag(self) -> None:
        self._lag.stop()

    async def _attach_client(self) -> None:
        self._attach(self.client)

    async def _detach_client(self) -> None:
        self._attach(None)

    async def _listen(self) -> None:
        self._bell.listen(self._name, self._local.rung)

    async def _deafen(self) -> None:
        self._bell.close()

    async def _start_http(self) -> None:
        self.url = await self._http.start()

    async def _stop_http(self) -> None:
        await self._http.stop(HTTP_GRACE)


async def serve(
    settings: Settings, registry: Registry, *, ready: Callable[[str], None], attach: Attach | None = None
) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code. A second signal ends the process at once, with 4.

    Args:
        ready: told the URL once everything runs.

    Raises:
        StoreError, PortInUse, BadSetting: a part could not start.
    """
    server = Server(settings, registry, attach=attach)
    stop = asyncio.get_running_loop().create_future()
    with _signals(stop):
        starting = asyncio.ensure_future(server.start())
        await asyncio.wait((starting, stop), return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            starting.result()
            ready(server.url)
            await stop
        code = await server.stop()
        await starting
        return code


def run(settings: Settings, registry: Registry, *, attach: Attach | None = None) -> int:
    """Serve in this process, which is ours alone; gives the exit code."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    pipe = logs.configure(settings.log_level, cast("logs.Format", settings.log_format))
    try:
        return _run_loop(serve(settings, registry, ready=_say_ready, attach=attach))
    finally:
        pipe.stop()


def _say_ready(url: str) -> None:
    sys.stdout.write(f"ferryman listening on {url}\n")
    sys.stdout.flush()


def _run_loop(work: Coroutine[Any, Any, int]) -> int:
    """Like `asyncio.run`, but a handler that swallows its cancellation does not keep the process alive."""
    loop = new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(work)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=1.0))
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def _signals(stop: asyncio.Future[None]) -> Generator[None]:
    """The first SIGTERM or SIGINT resolves `stop`, the second ends the process, even while the loop is blocked."""
    loop = asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may have signals
        return

    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(FORCED)
        asked = True
        loop.call_soon_threadsafe(_resolve, stop)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _resolve(stop: asyncio.Future[None]) -> None:
    if not stop.done():
        stop.set_result(None)


def _nobody(_client: Client | None) -> None:
    """No app wants to know the client."""


def _make_store(settings: Settings, clock: SystemClock, ids: IdMinter) -> Store:
    kept = settings.retention
    return make_store(
        settings.database_url,
        clock=clock,
        ids=ids,
        retention=Retention(kept.completed * MICROS, kept.failed * MICROS, kept.cancelled * MICROS),
        runner=ThreadRunner,
    )


def _make_client(settings: Settings, world: World, node: Node) -> Client:
    return Client(
        world.store,
        world.clock,
        world.ids,
        world.wakeup,
        events=world.events,
        catalogue=world.registry,
        max_body=settings.max_body,
        max_pending=settings.max_pending,
        accept_unknown_types=settings.accept_unknown_types,
        direct=node,
    )


def _node_options(settings: Settings) -> NodeOptions:
    return NodeOptions(
        workers=settings.worker_count,
        capacity=settings.job_queue_capacity,
        queues=settings.queues,
        lease=settings.lease,
        beat=settings.beat,
        stop_deadline=settings.stop_deadline,
        default_timeout=settings.default_timeout,
        loop_stall=settings.loop_stall,
        max_result=settings.max_result,
    )
