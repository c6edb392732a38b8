"""Whatever the API can do, this client can say: the table of operations is walked."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import MappingProxyType
from typing import Any

import httpx2
import pytest

from ferryman.client import JobRequest
from ferryman.client.schedules import ScheduleRequest
from ferryman.domain.cron import Cron
from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Scope
from ferryman.http.remote import Remote
from ferryman.http.remote.client import RemoteClient
from ferryman.http.remote.faces import Face
from tests.http.remote.lines import Times, client_over
from tests.http.world import UNKNOWN, World, operations

pytestmark = pytest.mark.anyio

Say = Callable[[RemoteClient], Awaitable[object]]
ECHO = JobRequest("echo")

VERBS: dict[str, Say] = {
    "GET /jobs": lambda client: client.page("limit=1"),
    "POST /jobs": lambda client: client.enqueue(ECHO),
    "POST /jobs/batch": lambda client: client.enqueue_chunk([ECHO]),
    "POST /jobs/import": lambda client: client.import_chunk([ECHO]),
    "GET /jobs/{id}": lambda client: client.get(UNKNOWN),
    "GET /jobs/{id}/events": lambda client: client.follow(UNKNOWN).next(),
    "GET /events": lambda client: client.events(queue="mail").next(),
    "GET /jobs/{id}/attempts": lambda client: client.attempts(UNKNOWN),
    "GET /jobs/{id}/explain": lambda client: client.explain(UNKNOWN),
    "GET /jobs/{id}/progress": lambda client: client.reports.progress(UNKNOWN),
    "GET /jobs/{id}/logs": lambda client: client.reports.logs(UNKNOWN),
    "POST /jobs/{id}/cancel": lambda client: client.cancel(UNKNOWN),
    "POST /jobs/{id}/retry": lambda client: client.retry(UNKNOWN),
    "PATCH /jobs/{id}": lambda client: client.controls.place(UNKNOWN, client.controls.placement(priority=1)),
    "DELETE /jobs/{id}": lambda client: client.controls.delete(UNKNOWN),
    "POST /jobs/retry": lambda client: client.controls.retry_all("type:echo"),
    "POST /jobs/purge": lambda client: client.controls.purge("queue:mail"),
    "GET /rules": lambda client: client.rules.all(),
    "POST /queues/{name}/pause": lambda client: client.rules.pause(Scope.QUEUE, "mail"),
    "POST /queues/{name}/resume": lambda client: client.rules.resume(Scope.QUEUE, "mail"),
    "PUT /queues/{name}/limit": lambda client: client.rules.limit(Scope.QUEUE, "mail", Limit(1)),
    "DELETE /queues/{name}/limit": lambda client: client.rules.limit(Scope.QUEUE, "mail", Limit()),
    "POST /types/{name}/pause": lambda client: client.rules.pause(Scope.TYPE, "echo"),
    "POST /types/{name}/resume": lambda client: client.rules.resume(Scope.TYPE, "echo"),
    "PUT /types/{name}/limit": lambda client: client.rules.limit(Scope.TYPE, "echo", Limit(1)),
    "DELETE /types/{name}/limit": lambda client: client.rules.limit(Scope.TYPE, "echo", Limit()),
    "GET /nodes": lambda client: client.nodes(),
    "GET /nodes/{id}": lambda client: client.node("node-1"),
    "GET /counts": lambda client: client.counts(),
    "GET /live": lambda client: client.pulses(queue="mail").next(),
    "GET /nodes/{id}/jobs": lambda client: client.node_jobs("node-1"),
    "POST /nodes/{id}/quiet": lambda client: client.quiet_node("node-1"),
    "POST /nodes/{id}/resume": lambda client: client.resume_node("node-1"),
    "POST /nodes/{id}/stop": lambda client: client.stop_node("node-1"),
    "GET /queues": lambda client: client.queues(),
    "GET /queues/{name}": lambda client: client.queue("mail"),
    "GET /types": lambda client: client.types(),
    "GET /schedules": lambda client: client.schedules.list(),
    "GET /schedules/{name}": lambda client: client.schedules.get("nightly"),
    "GET /schedules/{name}/runs": lambda client: client.schedules.runs("nightly"),
    "PUT /schedules/{name}": lambda client: client.schedules.put(ScheduleRequest("new", Cron("0 3 * * *"), ECHO)),
    "DELETE /schedules/{name}": lambda client: client.schedules.drop("nightly"),
    "POST /schedules/{name}/pause": lambda client: client.schedules.pause("nightly"),
    "POST /schedules/{name}/resume": lambda client: client.schedules.resume("nightly"),
    "POST /schedules/{name}/run": lambda client: client.schedules.run("nightly"),
    "GET /operations": lambda client: client.operations.list(),
    "POST /operations": lambda client: client.operations.start("cancel", "type:echo"),
    "GET /operations/{id}": lambda client: client.operations.get(UNKNOWN),
    "POST /operations/{id}/cancel": lambda client: client.operations.cancel(UNKNOWN),
    "GET /keys": lambda client: client.keys.list(),
    "GET /keys/{key:path}": lambda client: client.keys.get("a/b"),
    "PUT /keys/{key:path}": lambda client: client.keys.set("a/b", GateRule(1)),
    "DELETE /keys/{key:path}": lambda client: client.keys.unset("a/b"),
    "POST /keys/{key:path}/pause": lambda client: client.keys.pause("a/b"),
    "POST /keys/{key:path}/resume": lambda client: client.keys.resume("a/b"),
    "POST /keys/{key:path}/pass": lambda client: client.keys.let_pass("a/b"),
    "GET /api-keys": lambda client: client.access.list(),
    "POST /api-keys": lambda client: client.access.add("web", ["read"]),
    "POST /api-keys/{name}/rotate": lambda client: client.access.rotate("web"),
    "DELETE /api-keys/{name}": lambda client: client.access.revoke("web"),
    "GET /audit": lambda client: client.audit(),
    "GET /metrics": lambda client: client.metrics(),
    "GET /about": lambda client: client.about(),
    "GET /stats": lambda client: client.stats(),
    "GET /errors": lambda client: client.errors.list(),
    "GET /errors/{group}": lambda client: client.errors.get("9f2c01d4a37be615"),
}
"""For each operation a verb that says it."""
NEED_NONE = {
    "GET /health", "GET /livez", "GET /readyz", "GET /openapi.json", "GET /docs",
    "GET /session", "POST /session", "DELETE /session",
}  # fmt: skip
"""For probes, for people, and for their browsers."""
FACES: MappingProxyType[str, str] = MappingProxyType({"wait": "wait_for", "await": "await_for"})
"""Verbs whose faces have other names."""
INNER = {"open", "close", "wake", "page", "leave", "enqueue_chunk", "import_chunk"}
"""What an app needs, or what stands behind a face of another name."""


class Listening(httpx2.AsyncBaseTransport):
    """Notes what is asked for, which is refused."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.heard.append((request.method, request.url.path))
        return httpx2.Response(418)


def fits(operation: str, heard: tuple[str, str]) -> bool:
    method, path = operation.split()
    pattern = re.sub(r"{\w+:path}", ".+", path)
    return heard[0] == method and bool(re.fullmatch(re.sub(r"{\w+}", "[^/]+", pattern), heard[1]))


@pytest.fixture
async def listening(times: Times) -> AsyncIterator[tuple[RemoteClient, Listening]]:
    line = Listening()
    client = client_over(line, times)
    await client.open()
    yield client, line
    await client.close()


def test_every_operation_has_a_verb(world: World) -> None:
    assert {f"{each.method} {each.path}" for each in operations(world)} == VERBS.keys() | NEED_NONE


@pytest.mark.parametrize("operation", VERBS)
async def test_the_verb_says_what_it_stands_for(operation: str, listening: tuple[RemoteClient, Listening]) -> None:
    client, line = listening
    with pytest.raises(Exception, match="418"):
        await VERBS[operation](client)
    [heard] = line.heard
    assert fits(operation, heard)


def groups() -> Iterator[tuple[object, Face[Any]]]:
    remote = Remote("http://queue.test")
    client = client_over(Listening(), Times())
    yield client, remote
    for name, group in vars(remote).items():
        if isinstance(group, Face):
            assert group.group(client) is getattr(client, name)
            yield getattr(client, name), group


def verbs_of(client: object) -> set[str]:
    found = inspect.getmembers(type(client), callable)
    return {name for name, _ in found if not name.startswith("_")}


def test_each_group_has_faces() -> None:
    assert {type(client).__name__ for client, _ in groups()} == {
        "RemoteClient", "Rules", "Controls", "Schedules", "Operations", "Keys", "ApiKeys", "Reports",
        "ErrorGroups",
    }  # fmt: skip


def test_every_verb_has_both_faces() -> None:
    for client, face in groups():
        for name in verbs_of(client) - INNER - {"placement"}:
            blocking = FACES.get(name, name)
            awaited = FACES.get(f"a{name}", f"a{name}")
            assert callable(getattr(face, blocking)), name
            assert not inspect.iscoroutinefunction(getattr(face, blocking)), name
            assert callable(getattr(face, awaited)), name
            assert inspect.iscoroutinefunction(getattr(face, awaited)) or inspect.isasyncgenfunction(
                getattr(face, awaited)
            ), name
