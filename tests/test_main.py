"""Everything together, in this process: start, stop in order, signals, exit codes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest

from ferryman import main, program
from ferryman.client import Client, JobRequest
from ferryman.domain.errors import DatabaseIsFolder, PortInUse
from ferryman.domain.state import Status
from ferryman.engine import upkeep
from ferryman.engine.registry import Registry
from ferryman.settings import Settings
from tests.engine.world import registry_of, turns

pytestmark = pytest.mark.anyio


def settings(tmp_path: Path, **more: Any) -> Settings:
    return Settings(**{"port": 0, "database_url": f"sqlite:///{tmp_path}/jobs.db", "stop_deadline": 5.0, **more})


async def noop() -> None:
    pass


async def for_ever() -> None:
    await asyncio.Event().wait()


def get(url: str) -> tuple[int, Any]:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.status, json.load(answer)


def post(url: str, body: Any) -> tuple[int, Any]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, json.load(answer)


async def off_loop(do: Any, *given: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, do, *given)


async def test_a_job_crosses_from_http_to_its_result(tmp_path: Path) -> None:
    async def double(n: int) -> int:
        return 2 * n

    server = main.Server(settings(tmp_path), registry_of(double))
    await server.start()
    status, job = await off_loop(post, f"{server.url}/jobs", {"type": "double", "payload": {"n": 21}})
    assert status == 201
    done = await server.client.wait(job["id"], 60)
    assert (done.status, done.result, done.attempt) == (Status.COMPLETED, "42", 1)
    assert done.worker_id is not None
    assert done.worker_id.startswith(f"{server.node.id}/worker-")
    assert (await off_loop(get, f"{server.url}/health"))[0] == 200
    assert await off_loop(get, f"{server.url}/readyz") == (200, {"status": "ok"})
    assert await server.stop() == main.CLEAN


@pytest.mark.parametrize("shown", [True, False])
async def test_the_dashboard_is_served_unless_it_is_turned_off(tmp_path: Path, shown: bool) -> None:
    server = main.Server(settings(tmp_path, dashboard=shown), registry_of(noop))
    await server.start()
    async with httpx.AsyncClient(trust_env=False, base_url=server.url) as http:
        answer = await http.get("/")
    await server.stop()
    assert answer.status_code == (200 if shown else 404)
    assert ("<!doctype html>" in answer.text.lower()) == shown


async def test_parts_stop_in_the_order_http_channel_workers_store(tmp_path: Path) -> None:
    happened: list[str] = []
    server = main.Server(settings(tmp_path), registry_of(for_ever), attach=lambda client: attached(client))

    def attached(client: Client | None) -> None:
        happened.append("attach" if client is server.client else "detach")

    def spy(owner: Any, verb: str, name: str) -> None:
        real = getattr(owner, verb)

        async def noted(*given: Any) -> Any:
            happened.append(name)
            return await real(*given)

        setattr(owner, verb, noted)

    spy(server._http, "stop", "http")
    await server.start()
    life = server.node._life
    assert life is not None
    spy(life.pool, "stop", "workers")
    spy(life.completer, "stop", "completer")
    spy(server._store, "retire", "retire")
    close_channel, close_store = life.channel.close, server._store.close

    def closing() -> Any:
        happened.append("channel")
        return close_channel()

    async def closing_store() -> None:
        happened.append("store")
        await close_store()

    life.channel.close = closing  # type: ignore[method-assign]
    server._store.close = closing_store  # type: ignore[method-assign]
    assert await server.stop() == main.CLEAN
    assert happened == [
        "attach",
        "http",
        "channel",
        "workers",
        "channel",
        "completer",
        "retire",
        "detach",
        "store",
    ]


async def test_a_job_that_starts_with_its_insert_needs_no_claim_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "POLL_PERIOD", 3600.0)  # a slow machine has time for many
    server = main.Server(settings(tmp_path), registry_of(noop))
    await server.start()
    claims: list[object] = []
    claim = server._store.claim

    async def counted(*given: Any) -> Any:
        claims.append(given)
        return await claim(*given)

    await turns()
    for _ in range(30):
        job = await server.client.enqueue(JobRequest(type="noop"))
        await server.client.wait(job.id, 60)
        server._store.claim = counted  # type: ignore[method-assign,assignment]
    assert len(claims) < 15
    await server.stop()


async def test_handlers_may_enqueue_from_the_first_job_to_the_last(tmp_path: Path) -> None:
    clients: list[Client | None] = []
    server = main.Server(settings(tmp_path), registry_of(noop), attach=clients.append)
    await server.start()
    assert clients == [server.client]
    await server.stop()
    assert clients == [server.client, None]


async def test_a_stop_before_during_and_after_the_start(tmp_path: Path) -> None:
    never = main.Server(settings(tmp_path), registry_of(noop))
    assert await never.stop() == main.CLEAN
    server = main.Server(settings(tmp_path), registry_of(noop))
    starting = asyncio.ensure_future(server.start())
    await turns(2)
    assert await server.stop() == main.CLEAN
    await starting
    assert await server.stop() == main.CLEAN


async def test_a_taken_port_is_found_out_before_anything_is_claimed(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = main.Server(settings(tmp_path, port=taken.getsockname()[1]), registry_of(noop))
        with pytest.raises(PortInUse):
            await server.start()
    assert server.node.id is None
    assert not list(tmp_path.iterdir())
    assert await server.stop() == main.CLEAN


async def test_a_store_that_cannot_be_opened_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").mkdir()
    server = main.Server(settings(tmp_path), registry_of(noop))
    with pytest.raises(DatabaseIsFolder):
        await server.start()
    assert await server.stop() == main.CLEAN


async def test_readiness_names_what_is_missing(tmp_path: Path) -> None:
    server = main.Server(settings(tmp_path), registry_of(noop))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server.asgi), base_url="http://node") as http:
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["not_ready"]) == (503, ["node", "store"])
        assert answer.json()["why"]["store"].startswith("FM210: The store is closed.")
        await server.start()
        assert (await http.get("/readyz")).json() == {"status": "ok"}
        await server.stop()


async def test_serve_says_when_it_is_ready_and_stops_on_a_signal(tmp_path: Path) -> None:
    urls: list[str] = []

    def ready(server: main.Server) -> None:
        urls.append(server.url)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    assert await program.serve(settings(tmp_path), registry_of(noop), ready=ready) == main.CLEAN
    assert urls[0].startswith("http://127.0.0.1:")
    assert signal.getsignal(signal.SIGTERM) is before


async def test_serve_ends_as_after_a_signal_when_its_node_is_told_to_stop(tmp_path: Path) -> None:
    servers: asyncio.Queue[main.Server] = asyncio.Queue()
    given = settings(tmp_path, beat=0.1, lease=1.0)
    serving = asyncio.ensure_future(program.serve(given, registry_of(noop), ready=servers.put_nowait))
    server = await servers.get()
    url = f"{server.url}/nodes/{server.node.id}/stop"
    assert (await off_loop(post, url, {}))[0] == 202
    assert await asyncio.wait_for(serving, 60) == main.CLEAN


async def test_serve_raises_what_kept_it_from_starting(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").mkdir()
    with pytest.raises(DatabaseIsFolder):
        await program.serve(settings(tmp_path), Registry(), ready=lambda server: None)


async def test_a_signal_during_the_start_stops_without_a_ready_line(tmp_path: Path) -> None:
    ready: list[main.Server] = []
    serving = asyncio.ensure_future(program.serve(settings(tmp_path), registry_of(noop), ready=ready.append))
    await turns(1)
    os.kill(os.getpid(), signal.SIGINT)
    assert await serving == main.CLEAN
    assert not ready


def test_outside_the_main_thread_signals_are_left_alone(tmp_path: Path) -> None:
    codes: list[int] = []

    async def play() -> None:
        stop = asyncio.get_running_loop().create_future()
        before = signal.getsignal(signal.SIGTERM)
        with program.signals(stop, lambda: None):
            assert signal.getsignal(signal.SIGTERM) is before
        codes.append(0)

    thread = threading.Thread(target=lambda: asyncio.run(play()))
    thread.start()
    thread.join(60)
    assert codes == [0]


def test_tasks_that_swallow_their_cancellation_do_not_keep_the_loop_alive() -> None:
    async def stubborn() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def work() -> int:
        task = asyncio.ensure_future(stubborn())
        await turns(2)
        return 0 if not task.done() else 1

    assert program.run_loop(work()) == 0


def test_importing_main_starts_nothing() -> None:
    code = "import threading, ferryman.main; assert threading.active_count() == 1"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
