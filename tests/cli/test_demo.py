"""`ferryman demo`: a shop that has something of everything, and does no harm to other apps' jobs."""

from __future__ import annotations

import asyncio
import http.client
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ferryman.app import Ferryman
from ferryman.demo.load import Load
from ferryman.demo.shop import Shop as Demo
from ferryman.demo.surroundings import Surroundings
from ferryman.domain.errors import PortInUse
from ferryman.domain.state import Status
from ferryman.main import Server
from ferryman.settings import Settings
from ferryman.store.protocol import AuditFilter
from ferryman.supervise.role import Role
from tests.cli.shop import Shop
from tests.postgres.databases import Databases
from tests.servers import empty

PATIENCE = 60.0
"""Seconds after which a process counts as hung."""
LOOK = re.compile(r"Look: (http://127\.0\.0\.1:\d+)/  ")
DAY = 24 * 3600
WANTED = {"queue.pause", "queue.resume", "queue.limit", "key.set", "schedule.run", "operation.start", "job.retry"}
"""What operators do to the shop."""


async def no_rest(_seconds: float) -> None:
    """Nobody waits in a test."""


def a_demo(seed: int = 1) -> Demo:
    return Demo(Surroundings(random.Random(seed), rest=no_rest, block=lambda _: None))


# -- the shop ----------------------------------------------------------------------------------------


def test_every_type_of_the_shop_runs_and_can_end_well() -> None:
    demo = a_demo()
    with demo.app.testing(raise_errors=False) as queue:
        demo.app.enqueue_many(order.call(demo.around.dice) for order in demo.orders)
        queue.run_due(DAY)
        ended = {job.type for job in queue.jobs() if job.status is Status.COMPLETED}
    assert ended == demo.app.registry.types


def test_its_jobs_fail_in_many_ways_with_traces_of_several_frames() -> None:
    demo = a_demo()
    with demo.app.testing(raise_errors=False) as queue:
        for _ in range(40):
            demo.app.enqueue_many(order.call(demo.around.dice) for order in demo.orders)
        queue.run_all()
        traces = {job.error.type: job.error.traceback or "" for job in queue.jobs() if job.error is not None}
    assert len(traces) >= 8
    assert max(trace.count("\n  File ") for trace in traces.values()) >= 4
    assert any("direct cause" in trace for trace in traces.values())


@pytest.mark.anyio
async def test_operators_pause_cancel_and_retry(tmp_path: Path) -> None:
    """Time passes at once here; so many deeds are done before the load is ended."""
    demo, deeds = a_demo(), asyncio.Event()
    seen: set[str] = set()

    async def rest(_seconds: float) -> None:
        await asyncio.sleep(0)
        seen.update(entry.deed.action for entry in await server.client.audit(AuditFilter()))
        if seen >= WANTED:
            deeds.set()

    settings = Settings(database_url=f"sqlite:///{tmp_path}/jobs.db", stop_deadline=0.0)
    server = Server(settings, demo.app.registry, Role(http=False))
    await server.start()
    load = asyncio.create_task(Load(demo, 1.0, rest).run(server.client))
    done = asyncio.create_task(deeds.wait())
    try:
        await asyncio.wait((load, done), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        assert deeds.is_set(), WANTED - seen
    finally:
        done.cancel()
        load.cancel()
        await server.stop()


def test_a_seed_gives_the_same_orders_again() -> None:
    def payloads(seed: int) -> list[str]:
        demo = a_demo(seed)
        return [order.call(demo.around.dice).request.payload for order in demo.orders]

    assert payloads(5) == payloads(5)
    assert payloads(5) != payloads(6)


def test_secrets_sequences_shares_rates_and_schedules_are_declared() -> None:
    registry = a_demo().app.registry
    handlers = [handler for type in sorted(registry.types) if (handler := registry.get(type)) is not None]
    assert {each.type for each in handlers if each.secrets} == {"charge", "deliver_webhook", "send_login_code"}
    rules = {each.type: each.keyed.rule for each in handlers if each.keyed is not None}
    assert rules["charge"].strict
    assert rules["make_thumbnail"].share
    assert rules["deliver_webhook"].rate
    assert len({each.queue for each in handlers}) == 5
    assert set(registry.schedules) == {"close_books", "count_carts", "sync_stock"}


# -- the command -------------------------------------------------------------------------------------


def test_without_live_it_runs_some_hundred_jobs_and_counts_them(shop: Shop) -> None:
    result = shop.call("demo", "--port", "0")
    assert (result.code, result.err) == (0, "")
    counts, hint = result.out.splitlines()
    created, cancelled, completed, failed, later = map(int, re.findall(r"\d+", counts))
    assert created >= 400
    assert cancelled + completed + failed + later == created
    assert completed > 200
    assert failed > 0
    assert hint.endswith("ferryman demo --live")
    assert shop.count() == created, "DATABASE_URL names the database"


def test_on_postgresql_it_makes_the_tables_first(shop: Shop, postgres: Databases) -> None:
    with empty(postgres) as url:
        result = shop.call("demo", "--database-url", url)
    assert (result.code, result.err) == (0, "")
    assert re.match(r"4\d\d jobs: ", result.out)


def test_a_database_with_types_of_another_app_is_left_alone(shop: Shop) -> None:
    shop.one(lambda bench: bench.home())
    shop.run = lambda *_: 0
    result = shop.call("demo", "--live")
    assert result.code == 2
    assert "FM101" in result.err
    assert "belongs to another app" in result.err
    assert shop.count() == 0


def test_if_the_port_is_taken_it_says_so_and_takes_another(shop: Shop) -> None:
    ports: list[int] = []

    def serve(settings: Settings, _app: Ferryman, _role: Role) -> int:
        ports.append(settings.port)
        if settings.port:
            raise PortInUse("Cannot serve on 127.0.0.1:8080.", why="Another process is listening there.")
        return 0

    shop.run = serve
    result = shop.call("demo", "--live")
    assert (result.code, ports) == (0, [8080, 0])
    assert result.err == (
        "Cannot serve on 127.0.0.1:8080. Another process is listening there. Any other port will do.\n"
    )


def test_it_reads_no_settings_file_and_has_a_database_of_its_own(shop: Shop) -> None:
    shop.environ = {"FERRYMAN_STOP_DEADLINE": "7s", "FERRYMAN_PROCESSES": "3"}
    (shop.folder / "ferryman.toml").write_text('database_url = "sqlite:///real.db"\nworker_count = 1\n')
    served: list[Settings] = []

    def serve(settings: Settings, _app: Ferryman, _role: Role) -> int:
        served.append(settings)
        assert Path(settings.database_url.removeprefix("sqlite:///")).exists()
        return 0

    shop.run = serve
    assert shop.call("demo", "--live", "--port", "1").code == 0
    [settings] = served
    assert (settings.port, settings.worker_count, settings.stop_deadline, settings.processes) == (1, 20, 7.0, 0)
    assert not Path(settings.database_url.removeprefix("sqlite:///")).exists()
    assert not (shop.folder / "real.db").exists()


def test_live_it_says_where_to_look_keeps_jobs_coming_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with _live(tmp_path) as process:
        assert process.stdout is not None
        url = next(found[1] for line in process.stdout if (found := LOOK.match(line)) is not None)
        # the first jobs are its history; more than these come only from its load
        assert sum(1 for _ in zip(range(500), _completed(url), strict=False)) == 500
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert list(tmp_path.iterdir()) == []


@contextmanager
def _live(folder: Path) -> Iterator[subprocess.Popen[str]]:
    clean = {name: value for name, value in os.environ.items() if "FERRYMAN" not in name and name != "DATABASE_URL"}
    command = [sys.executable, "-m", "ferryman", "demo", "--live", "--port=0", "--rate=200"]
    environment = {**clean, "TMPDIR": str(folder)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _completed(url: str) -> Iterator[bytes]:
    """Tells of each job that has ended well, from now on."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)) as connection:
        connection.request("GET", "/events")
        yield from (line for line in connection.getresponse() if line.startswith(b"event: completed"))
