"""Builds every part of a process from settings and registry, starts them in order, stops them in the reverse one.

With `building` it alone knows all rooms. A process has a node, or it supervises a fleet of processes that have one; it
serves HTTP, or it does not.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp

from ferryman.briefing import node_options
from ferryman.building import client_of, http_of, store_of, world_of
from ferryman.client import Client
from ferryman.domain.errors import BadSetting
from ferryman.domain.ids import IdMinter
from ferryman.engine.chores import Rescue
from ferryman.engine.clock import SystemClock
from ferryman.engine.node import Node
from ferryman.engine.registry import Registry
from ferryman.engine.startlist import Part, StartList
from ferryman.engine.wakeup import LocalWakeup, Wakeups
from ferryman.http.about import Here
from ferryman.http.api import make_api
from ferryman.http.dashboard import Dashboard, shipped
from ferryman.http.guard import Guard
from ferryman.http.keyring import Keyring
from ferryman.http.lasting import Lasting
from ferryman.http.meter import Meter
from ferryman.http.openness import Openness
from ferryman.http.quotas import Quotas
from ferryman.http.readiness import Readiness
from ferryman.http.refusals import Refusals
from ferryman.observe.joblog import JobLog
from ferryman.observe.looplag import LoopLag
from ferryman.observe.metrics import Metrics
from ferryman.settings import Settings
from ferryman.store.bell import Ringing
from ferryman.store.factory import MEMORY, bell_of
from ferryman.supervise.fleet import Fleet
from ferryman.supervise.report import Report, Reporter
from ferryman.supervise.role import EVERYTHING, Role

HTTP_GRACE: Final = 5.0
"""Seconds in which requests under way may end when the server stops."""
CLEAN: Final = 0
FAILED: Final = 1
FORCED: Final = 4
"""The exit codes of a stop."""

Attach = Callable[[Client | None], None]


class Server:
    """One process: store, node or fleet, HTTP."""

    def __init__(
        self, settings: Settings, registry: Registry, role: Role = EVERYTHING, *, attach: Attach | None = None
    ) -> None:
        """Build every part; nothing is opened yet.

        `attach` is told the client that handlers should enqueue with, and None once it is gone.

        Raises:
            BadSetting: no store has such a URL, or none that several processes could share.
        """
        self.url = ""
        self._role = role
        self._attach = attach or _nobody
        clock, ids, self._local = SystemClock(), IdMinter(random.Random()), LocalWakeup()
        self._started_at = clock.now()
        self._name = ids.mint(self._started_at)
        self._store = store_of(settings, clock, ids)
        self._bell = bell_of(self._store)
        wakeup = Wakeups(self._local, Ringing(self._bell))
        self._world = world = world_of(settings, registry, self._store, clock, ids, wakeup)
        self.events = world.events
        self.ending: asyncio.Future[int] | None = None
        """Resolved with an exit code when this process is to end: an operator wants it, its supervisor is gone, or no
        node process can be started. There from the start on."""
        self._metrics = Metrics()
        self.fleet = self._make_fleet(settings) if settings.processes else None
        self._node = (
            None
            if self.fleet is not None
            else Node(world, node_options(settings), self._local, stop_wished=self._end_in_order)
        )
        self.client = client_of(settings, world, self._node)
        self._lag = LoopLag(self._metrics.see_loop_lag)
        self.events.listen(self._metrics.listen)
        self.events.listen(JobLog(self._node_id, log_jobs=settings.log_jobs).listen)
        self._keyring = Keyring(self._store, clock)
        self._openness = Openness(
            self._keyring, self._is_local, host=settings.host, is_allowed_anywhere=settings.allow_open
        )
        self.asgi = self._make_api(settings, ids)
        """The HTTP API as an ASGI application; it is served at HOST and PORT where the role says so."""
        self._http = http_of(settings, self.asgi) if role.http else None
        self._parts = StartList(*self._start_list())

    @property
    def node(self) -> Node:
        """The engine of this process; there is none where it supervises a fleet."""
        assert self._node is not None
        return self._node

    def _start_list(self) -> list[Part]:
        """Every part in the order of starting; the stop goes the other way."""
        parts: list[Part] = []
        if self._http is not None:
            # a taken port is found out before anything else happens; connections wait until "http" answers them
            parts.append(Part("port", self._http.bind, self._http.unbind))
        parts += [
            # closes last, once everybody has written what there was to write
            Part("store", self.client.open, self.client.close),
            Part("loop lag", self._start_lag, self._stop_lag),
        ]
        if self._http is not None:
            # before any request is answered, and before any job is claimed by a process that will not stay
            parts.append(Part("api keys", self._openness.check, self._openness.done))
        if self.fleet is not None:
            # the node processes: all of them stop at once, each as a node does
            parts.append(Part("fleet", self._start_fleet, self.fleet.stop))
        else:
            parts += [
                # handlers enqueue from the first job to the last
                Part("app", self._attach_client, self._detach_client),
                # other processes that use the same store: they hear of what the node releases when it stops
                Part("doorbell", self._listen, self._deafen),
                # stops claiming, lets runs end within the stop deadline, writes their outcomes, retires
                Part("node", self.node.start, self.node.stop),
            ]
        if self._role.report_to is not None:
            # tells the supervisor last that it is there, and first that it stops
            reporter = Reporter(self._role.report_to, self._report, self._end_in_order)
            parts.append(Part("report", reporter.start, reporter.stop))
        if self._http is not None:
            # the first to stop: nothing new comes in, what is under way is answered
            parts.append(Part("http", self._start_http, self._stop_http))
        return parts

    async def start(self) -> None:
        """Start every part. Raises StoreError, PortInUse."""
        self.ending = asyncio.get_running_loop().create_future()
        await self._parts.start()

    async def stop(self) -> int:
        """Stop every part; gives the exit code."""
        await self._parts.stop()
        if self.fleet is not None:
            return self.fleet.code
        if self.node.stuck_threads:
            return FORCED
        return FAILED if self.node.unwritten else CLEAN

    def quiet(self) -> None:
        """Claim no more; all else goes on."""
        (self.fleet or self.node).quiet()

    # -- parts -----------------------------------------------------------------------------------

    def _make_fleet(self, settings: Settings) -> Fleet:
        if settings.database_url == MEMORY:
            raise BadSetting(
                f"PROCESSES is {settings.processes}, and DATABASE_URL is {MEMORY}.",
                why="Other processes cannot see the memory of this one.",
                hint="Use a file, such as sqlite:///ferryman.db, or PROCESSES=0.",
            )
        world = self._world
        return Fleet(
            self._role.command,
            settings.processes,
            monotonic=world.clock.monotonic,
            give_back=Rescue(world.store, world.clock, world.wakeup, world.events, settings.lease).step,
            heard=lambda report: self._metrics.add(report.counted),
            hopeless=self._give_up,
            stop_deadline=settings.stop_deadline,
            loop_stall=settings.loop_stall,
        )

    def _make_api(self, settings: Settings, ids: IdMinter) -> ASGIApp:
        monotonic = self._world.clock.monotonic
        return make_api(
            self.client,
            max_body=settings.max_body,
            guard=Guard(self._keyring, Meter(monotonic), Refusals(monotonic), self._openness.to),
            lasting=Lasting(settings.max_connections),
            quotas=Quotas(self._store, self._world.clock),
            stats=self.fleet or self.node,
            here=Here(
                lambda: self._node_id() or None,
                lambda: (self.fleet or self.node).workers,
                self._started_at,
                settings.lease,
                self._openness.to,
            ),
            metrics=self._metrics,
            readiness=Readiness(lambda: (self.fleet or self.node).ready, self._store).missing,
            dashboard=Dashboard(shipped()) if settings.dashboard else None,
            new_request_id=lambda: f"{ids.number():016x}",
        )

    def _is_local(self) -> bool | None:
        """Whether other machines cannot reach the API; None inside another application: that is not ours to say."""
        return None if self._http is None else self._http.is_local

    def _report(self) -> Report:
        node = self.node
        return Report(
            node=node.id,
            ready=node.ready,
            workers=node.workers,
            channel_capacity=node.channel_capacity,
            channel_length=node.channel_length,
            in_progress=node.in_progress,
            counted=self._metrics.take(),
        )

    def _node_id(self) -> str:
        return (self._node.id if self._node is not None else None) or ""

    def _give_up(self, code: int) -> None:
        """Nothing that was started got ready: it would not the next time either."""
        if self.ending is not None and not self.ending.done():
            self.ending.set_result(code)

    def _end_in_order(self) -> None:
        """An operator wants it, or the supervisor is gone, which would have asked for it: stop as after SIGTERM."""
        self._give_up(CLEAN)

    async def _start_fleet(self) -> None:
        assert self.fleet is not None
        await self.fleet.start()

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
        assert self._http is not None
        self.url = await self._http.start()

    async def _stop_http(self) -> None:
        assert self._http is not None
        await self._http.stop(HTTP_GRACE)


def _nobody(_client: Client | None) -> None:
    """No app wants to know the client."""
