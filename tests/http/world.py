"""The API over a real client and the memory store, without a socket."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from starlette.types import ASGIApp

from ferryman.client import Client
from ferryman.domain.claim import ClaimRequest
from ferryman.domain.errors import WrongArgumentType
from ferryman.domain.events import Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Outcome, Run, decide
from ferryman.http.about import Here
from ferryman.http.api import make_api
from ferryman.http.bounds import CONNECTIONS_DEFAULT
from ferryman.http.dashboard import Dashboard
from ferryman.http.guard import Guard
from ferryman.http.keyring import AGE, Keyring
from ferryman.http.lasting import Lasting
from ferryman.http.meter import Meter
from ferryman.http.openness import Open
from ferryman.http.operation import Operation
from ferryman.http.quotas import Quotas
from ferryman.http.refusals import Refusals
from ferryman.observe.metrics import Metrics
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import NodeInfo, Retention
from ferryman.testing.clock import ManualClock

MAX_BODY = 4096
DAY = 24 * 3600 * 1_000_000
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


class Echo:
    """A declared type."""

    queue = "default"
    priority = 5
    max_attempts = 5
    secrets = frozenset({"token"})
    keyed = None

    def check(self, payload: str) -> None:
        if "refuse" in json.loads(payload):
            raise WrongArgumentType("The argument refuse of echo has the wrong type.")


class OneType:
    types = frozenset({"echo"})

    def get(self, type: str, /) -> Echo | None:
        return Echo() if type == "echo" else None


class Wakes:
    def work(self) -> None:
        pass

    def scheduled(self, run_at: int) -> None:
        pass

    def cancelled(self, node: str | None) -> None:
        pass


class Stats:
    channel_length = 3
    channel_capacity = 100
    workers = 10
    in_progress = 2


class Failing:
    """A client each of whose verbs fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        async def fail(*_: object, **__: object) -> None:
            raise self.error

        return fail


class World:
    def __init__(
        self, max_pending: int = 0, connections: int = CONNECTIONS_DEFAULT, dashboard: Dashboard | None = None
    ) -> None:
        self.connections = connections
        self.dashboard = dashboard
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock, IdMinter(random.Random(1)), Retention(DAY, DAY, DAY))
        self.metrics = Metrics()
        self.keyring = Keyring(self.store, self.clock)
        self.open_to = Open.EVERYBODY
        self.not_ready: dict[str, str] = {}
        self.node: int | None = None
        self.batch = 0
        self.client = Client(
            self.store,
            self.clock,
            IdMinter(random.Random(2)),
            Wakes(),
            events=Events(self.metrics.listen),
            catalogue=OneType(),
            max_body=MAX_BODY,
            max_pending=max_pending,
        )
        self.api = self.over(self.client)

    def over(self, client: Client | Failing) -> ASGIApp:
        """An API over another client."""

        async def readiness() -> dict[str, str]:
            return self.not_ready

        return make_api(
            cast("Client", client),
            max_body=MAX_BODY,
            guard=Guard(
                self.keyring,
                Meter(self.clock.monotonic),
                Refusals(self.clock.monotonic),
                lambda: self.open_to,
            ),
            lasting=Lasting(self.connections),
            quotas=Quotas(self.store, self.clock),
            stats=Stats(),
            here=Here(lambda: "node-1", lambda: 10, self.clock.now(), 10.0, lambda: self.open_to),
            metrics=self.metrics,
            readiness=readiness,
            dashboard=self.dashboard,
            monotonic=self.clock.monotonic,
            new_request_id=lambda: "minted",
        )

    async def key(self, *scopes: str, name: str = "web", **more: Any) -> dict[str, str]:
        """Make an API key; gives the header that shows it."""
        issued = await self.client.access.add(name, scopes, **more)
        self.clock.advance(AGE)  # so that it is known from now on
        return {"Authorization": f"Bearer {issued.text.reveal()}"}

    async def claim(self) -> list[ClaimedJob]:
        """Take every pending job, as a node does."""
        if self.node is None:
            info = NodeInfo("node-1", "host", 1, "0", frozenset({"echo"}), None, 1)
            self.node = await self.store.register(info, self.clock.now())
        self.batch += 1
        request = ClaimRequest(self.node, self.batch, frozenset({"echo"}), None, 1000, 1000, alone=True)
        return (await self.store.claim(request, self.clock.now())).jobs

    async def finish(self, outcome: Outcome) -> None:
        """Run every pending job; each ends so."""
        jobs = await self.claim()
        now = self.clock.now()
        assert self.node is not None
        await self.store.finish(self.node, [decide(job, outcome, Run(1, 1, now), now) for job in jobs], now)


@asynccontextmanager
async def talk(api: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield http


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a complete problem; gives its document."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert set(document) >= {"type", "title", "status", "detail", "code", "hint", "errors"}
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"].endswith(code)
    assert document["title"]
    assert document["detail"]
    assert answer.headers["x-request-id"]
    return document


def operations(world: World) -> list[Operation]:
    """Everything that can be done."""
    paths: Any = vars(world.over(world.client))["_app"]
    return list(paths.operations)
