"""/health, /livez, /readyz and /metrics."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ferryman.domain.errors import StoreBusy
from ferryman.domain.outcome import Outcome, What
from ferryman.http.waits import STOP
from ferryman.store.protocol import Counts
from tests.http.world import Failing, World, is_problem, talk

pytestmark = pytest.mark.anyio

COUNTERS = {
    "jobs_created", "jobs_completed", "jobs_failed", "jobs_cancelled", "jobs_retried", "jobs_rescued", "jobs_pending",
    "jobs_scheduled", "jobs_in_progress", "fenced_writes", "workers", "queue_capacity", "queue_length",
}  # fmt: skip
JSON = {"accept": "application/json"}


@pytest.mark.parametrize("path", ["/health", "/livez"])
async def test_health_touches_no_store(world: World, path: str) -> None:
    async with talk(world.over(Failing(StoreBusy("no")))) as http:
        answer = await http.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/health", "/readyz", "/jobs", "/metrics", "/nowhere"])
async def test_everything_is_503_while_stopping(world: World, path: str) -> None:
    stop = asyncio.Event()
    stop.set()

    async def stopping(scope: Any, receive: Any, send: Any) -> None:
        await world.api({**scope, "state": {STOP: stop}}, receive, send)

    async with talk(stopping) as http:
        answer = await http.get(path, headers={"x-request-id": "r-1"})
    is_problem(answer, 503, "FM450")
    assert answer.headers["connection"] == "close"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["x-request-id"] == "r-1"


async def test_readyz_names_what_is_not_ready(world: World, http: httpx.AsyncClient) -> None:
    assert (await http.get("/readyz")).json() == {"status": "ok"}
    world.not_ready = {"store": "FM218: gone.", "heartbeat": "late"}
    answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not ready",
        "not_ready": ["store", "heartbeat"],
        "why": {"store": "FM218: gone.", "heartbeat": "late"},
    }
    assert (await http.get("/livez")).status_code == 200


async def counters(http: httpx.AsyncClient) -> dict[str, int]:
    answer = await http.get("/metrics", headers=JSON)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, int] = answer.json()
    assert set(found) == COUNTERS
    assert all(type(value) is int for value in found.values())
    return found


async def test_the_counters_follow_each_request_at_once(world: World, http: httpx.AsyncClient) -> None:
    before = await counters(http)
    assert {name for name, value in before.items() if value} == {"workers", "queue_capacity", "queue_length"}
    assert (before["workers"], before["queue_capacity"], before["queue_length"]) == (10, 100, 3)

    await http.post("/jobs", json={"type": "echo", "max_attempts": 1})
    await http.post("/jobs", json={"type": "echo", "delay": 60})
    now = await counters(http)
    assert (now["jobs_created"], now["jobs_pending"], now["jobs_scheduled"]) == (2, 1, 1)

    await world.claim()
    assert (await counters(http))["jobs_in_progress"] == 1

    await http.post("/jobs", json={"type": "echo"})
    await world.finish(Outcome(What.DONE))
    job = (await http.post("/jobs", json={"type": "echo", "max_attempts": 1})).headers["location"]
    await world.finish(Outcome(What.FAILED))
    await http.post(f"{job}/retry")
    await http.post(f"{job}/cancel")
    now = await counters(http)
    assert (now["jobs_completed"], now["jobs_failed"], now["jobs_cancelled"], now["jobs_retried"]) == (1, 1, 1, 1)


async def gauges(http: httpx.AsyncClient) -> dict[tuple[str, str], float]:
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(each.name, each.labels.get("queue", "")): each.value for family in families for each in family.samples}


async def test_prometheus_is_shown_the_store_and_this_node(world: World, http: httpx.AsyncClient) -> None:
    await http.post("/jobs", json={"type": "echo", "queue": "mail"})
    await http.post("/jobs", json={"type": "echo", "queue": "mail"})
    world.clock.advance(2.5)
    seen = await gauges(http)
    assert seen["ferryman_jobs_pending", "mail"] == 2
    assert seen["ferryman_oldest_pending_seconds", "mail"] == 2.5
    assert seen["ferryman_jobs_in_progress", ""] == 2
    assert seen["ferryman_channel_length", ""] == 3
    assert seen["ferryman_enqueued_total", "mail"] == 2


async def test_prometheus_reads_the_store_once_a_second(world: World, http: httpx.AsyncClient) -> None:
    await gauges(http)
    await http.post("/jobs", json={"type": "echo"})
    world.clock.advance(0.9)
    assert ("ferryman_jobs_pending", "default") not in await gauges(http)
    world.clock.advance(0.1)
    assert (await gauges(http))["ferryman_jobs_pending", "default"] == 1


class Gated:
    """A client whose counts wait for a gate."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reads = 0
        self.gate = asyncio.Event()
        self.reading = asyncio.Event()

    async def counts(self) -> Counts:
        self.reads += 1
        self.reading.set()
        await self.gate.wait()
        return await self.world.client.counts()


async def test_scrapes_at_the_same_time_share_one_read(world: World) -> None:
    client: Any = Gated(world)
    async with talk(world.over(client)) as http:
        scrapes = [asyncio.create_task(http.get("/metrics")) for _ in range(3)]
        await client.reading.wait()
        scrapes[0].cancel()
        client.gate.set()
        assert [(await scrape).status_code for scrape in scrapes[1:]] == [200, 200]
    assert client.reads == 1


async def test_a_read_that_failed_is_not_kept(world: World) -> None:
    client: Any = Failing(StoreBusy("no"))
    async with talk(world.over(client)) as http:
        is_problem(await http.get("/metrics"), 503, "FM207")
        client.counts = world.client.counts
        assert (await http.get("/metrics")).status_code == 200


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "text/plain"),
        ("text/plain", "text/plain"),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", "text/plain"),
        ("application/json", "application/json"),
        ("application/*", "application/json"),
        ("text/plain;q=0.5, application/json", "application/json"),
        ("text/plain, application/json;q=0.5", "text/plain"),
    ],
)
async def test_metrics_come_in_the_form_that_is_liked_best(http: httpx.AsyncClient, accept: str, kind: str) -> None:
    answer = await http.get("/metrics", headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)


async def test_metrics_in_no_other_form(http: httpx.AsyncClient) -> None:
    is_problem(await http.get("/metrics", headers={"accept": "text/html"}), 406, "FM406")
