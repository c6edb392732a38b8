"""A node inside somebody else's event loop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from ferryman import Ferryman
from ferryman.domain.errors import BadSetting, DatabaseFolderMissing, UnknownSetting
from ferryman.domain.state import Status
from ferryman.embed import Embedded, running
from ferryman.engine.capture import Capture
from ferryman.engine.context import Context
from tests.http.world import is_problem, talk

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ferryman]:
    monkeypatch.chdir(tmp_path)
    with Ferryman(f"sqlite:///{tmp_path}/jobs.db", stop_deadline=0.1, job_queue_capacity=9) as app:
        yield app


def site(server: Embedded) -> Starlette:
    site = Starlette()
    site.mount("/queue", server.asgi)
    return site


async def test_a_job_runs_on_the_loop_that_was_running_already(app: Ferryman) -> None:
    @app.job
    async def loop_of() -> int:
        return id(asyncio.get_running_loop())

    async with running(app):
        handle = await loop_of.aenqueue()
        assert await handle.aresult(60) == id(asyncio.get_running_loop())


async def test_a_thread_of_the_host_enqueues_without_await(app: Ferryman) -> None:
    @app.job
    def double(n: int) -> int:
        return 2 * n

    async with running(app):
        assert await asyncio.to_thread(lambda: double.enqueue(21).result(60)) == 42


async def test_jobs_in_memory_are_handed_to_the_node_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = Ferryman("memory://")

    @app.job
    async def double(n: int) -> int:
        return 2 * n

    async with running(app):
        assert await (await double.aenqueue(21)).aresult(60) == 42
    assert list(tmp_path.iterdir()) == []


async def test_what_waited_before_the_block_runs_in_it_and_what_comes_after_waits(app: Ferryman) -> None:
    @app.job
    async def noop() -> None: ...

    before = await noop.aenqueue()
    async with running(app):
        await before.aresult(60)
    after = await noop.aenqueue()
    assert await after.astatus() is Status.PENDING
    async with running(app):
        await after.aresult(60)


async def test_the_end_of_the_block_is_an_orderly_stop(app: Ferryman) -> None:
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    claims: list[int] = []

    @app.job_with_context
    async def first_for_ever(ctx: Context) -> None:
        claims.append(ctx.claim)
        if not started.done():
            started.set_result(None)
            await asyncio.Event().wait()

    async with running(app):
        handle = await first_for_ever.aenqueue()
        await started
    assert await handle.astatus() is Status.PENDING  # cut off and given back, not left to be rescued
    async with running(app):
        await handle.aresult(60)
    assert claims == [1, 2]


async def test_the_node_stops_where_the_block_raises(app: Ferryman) -> None:
    @app.job
    async def noop() -> None: ...

    servers: list[Embedded] = []

    async def host() -> None:
        async with running(app) as server:
            servers.append(server)
            raise RuntimeError("the host broke")

    with pytest.raises(RuntimeError, match="the host broke"):
        await host()
    async with talk(site(servers[0])) as http:
        is_problem(await http.get("/queue/health"), 503, "FM450")
    assert await (await noop.aenqueue()).astatus() is Status.PENDING


async def test_settings_come_from_the_app_the_environment_and_the_call(
    app: Ferryman, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRYMAN_WORKER_COUNT", "3")
    monkeypatch.setenv("FERRYMAN_JOB_QUEUE_CAPACITY", "7")

    async def counters(server: Embedded) -> tuple[int, int]:
        async with talk(site(server)) as http:
            found = (await http.get("/queue/metrics", headers={"Accept": "application/json"})).json()
            return found["workers"], found["queue_capacity"]

    async with running(app) as server:
        assert await counters(server) == (3, 9)
    async with running(app, worker_count=2, job_queue_capacity=5) as server:
        assert await counters(server) == (2, 5)


async def test_no_port_is_taken(app: Ferryman) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with running(app, port=taken.getsockname()[1]) as server:
            assert server.node_id


async def test_signals_and_logs_stay_the_hosts(app: Ferryman) -> None:
    watched = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
    before = [signal.getsignal(each) for each in watched], list(logging.getLogger().handlers)
    loggers = {name: list(logging.getLogger(name).handlers) for name in ("ferryman", "ferryman.engine")}
    async with running(app):
        *others, capture = logging.getLogger().handlers
        assert ([signal.getsignal(each) for each in watched], others) == before
        assert isinstance(capture, Capture)
        assert {name: list(logging.getLogger(name).handlers) for name in loggers} == loggers
    assert list(logging.getLogger().handlers) == before[1]
    async with running(app, log_capture="off"):
        assert list(logging.getLogger().handlers) == before[1]


async def test_what_jobs_log_is_kept_as_far_as_the_host_s_loggers_let_it_through(
    app: Ferryman, caplog: pytest.LogCaptureFixture
) -> None:
    @app.job
    async def tells() -> None:
        logging.getLogger("shop").info("quiet")
        logging.getLogger("shop").warning("loud")

    caplog.set_level("WARNING")
    async with running(app) as server, talk(server.asgi) as http:
        handle = await tells.aenqueue()
        await handle.aresult(timeout=30)
        assert [each["message"] for each in (await http.get(f"/jobs/{handle.id}/logs")).json()] == ["loud"]


# -- the API ---------------------------------------------------------------------------------------


async def test_the_api_is_mounted_below_a_prefix(app: Ferryman) -> None:
    @app.job
    async def double(n: int) -> int:
        return 2 * n

    async with running(app) as server, talk(site(server)) as http:
        assert (await http.get("/queue/readyz")).json() == {"status": "ok"}
        answer = await http.post("/queue/jobs", json={"type": "double", "payload": {"n": 21}})
        await double.handle(answer.json()["id"]).aresult(60)
        job = (await http.get(answer.headers["location"])).json()
        assert (job["result"], job["node"]) == (42, server.node_id)


async def test_the_api_refuses_once_the_node_stops(app: Ferryman) -> None:
    gone: list[httpx.Response] = []
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @app.job
    async def asks_when_it_is_cut_off() -> None:
        started.set_result(None)
        try:
            await asyncio.Event().wait()
        finally:
            async with talk(site(server)) as http:
                gone.append(await http.get("/queue/health"))

    async with running(app) as server:
        await asks_when_it_is_cut_off.aenqueue()
        await started
    async with talk(site(server)) as http:
        gone.append(await http.post("/queue/jobs", json={"type": "asks_when_it_is_cut_off"}))
    for answer in gone:
        is_problem(answer, 503, "FM450")
    assert len(gone) == 2


# -- what is wrong ---------------------------------------------------------------------------------


async def test_processes_of_its_own_are_refused(app: Ferryman) -> None:
    with pytest.raises(BadSetting, match=r"PROCESSES is 2.*Leave PROCESSES at 0"):
        async with running(app, processes=2):
            pass


async def test_a_setting_that_does_not_exist_is_refused(app: Ferryman) -> None:
    with pytest.raises(UnknownSetting, match="Did you mean worker_count"):
        async with running(app, worker_cuont=2):
            pass


async def test_a_store_that_cannot_be_opened_is_said_and_leaves_the_app_usable(app: Ferryman, tmp_path: Path) -> None:
    @app.job
    async def noop() -> None: ...

    with pytest.raises(DatabaseFolderMissing):
        async with running(app, database_url=f"sqlite:///{tmp_path}/missing/jobs.db"):
            pass
    await noop.aenqueue()


async def test_a_node_that_is_told_to_stop_ends_and_the_program_goes_on(app: Ferryman) -> None:
    @app.job
    async def double(n: int) -> int:
        return 2 * n

    stopped = asyncio.Event()

    @app.on_shutdown
    async def tell() -> None:
        stopped.set()

    async with running(app, beat=0.1, lease=1.0) as server, talk(site(server)) as http:
        node = f"/queue/nodes/{server.node_id}"
        await (await double.aenqueue(1)).aresult(60)
        assert (await http.post(f"{node}/stop")).status_code == 202
        await asyncio.wait_for(stopped.wait(), 60)
        assert not (await http.get(node)).json()["live"]
        assert await (await double.aenqueue(2)).astatus() is Status.PENDING
