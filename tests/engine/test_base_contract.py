"""The rows of the base contract that the engine answers for, each by its name. Stop order: tests/test_main.py too."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import logging
from collections import Counter
from pathlib import Path

import pytest

from ferryman.domain.state import Status
from ferryman.engine.context import Context
from ferryman.engine.worker import Worker
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, claimed_job, pause, turns

WORKER_LAYER = ("worker", "pool", "channel", "executor", "running", "trampoline")
"""What a worker consists of, `threads` apart: its gate is what two threads need, not two workers."""


def tree(module: str) -> ast.Module:
    spec = importlib.util.find_spec(f"ferryman.engine.{module}")
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text())


def imports(module: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return found


async def noop() -> None:
    pass


async def second() -> None:
    await pause(1.0)


def test_all_workers_share_one_bounded_channel() -> None:
    async def play() -> None:
        async with Bench(second, workers=10, capacity=7) as bench:
            assert bench.node._life is not None
            workers = list(bench.node._life.pool._workers.values())
            assert len(workers) == 10
            assert {id(worker._channel) for worker in workers} == {id(bench.node._life.channel)}
            assert bench.node._life.channel.capacity == 7

    run_virtual(play())


def test_a_full_channel_makes_sending_wait() -> None:
    async def play() -> None:
        async with Bench(second, workers=1, capacity=2) as bench:
            await bench.enqueue("second")
            await turns()
            assert bench.node._life is not None
            channel = bench.node._life.channel
            for number in (1, 2):
                channel.send_nowait(claimed_job("second", id=f"buffered-{number}"))
            sending = bench.loop.create_task(channel.send(claimed_job("second", id="waits")))
            await turns()
            assert not sending.done()
            assert (channel.length, channel.capacity) == (2, 2)
            await sending
            assert bench.loop.time() == pytest.approx(1.0), "it went in when the worker took the next job"
            await bench.until(lambda: len(bench.ended) + len(bench.fenced) == 4)

    run_virtual(play())


@pytest.mark.parametrize("workers", [1, 2, 10, 100])
def test_worker_counts_run_each_job_once_and_share_the_work(workers: int) -> None:
    async def play() -> None:
        async with Bench(second, workers=workers, capacity=5) as bench:
            ids = await bench.enqueue("second", count=200)
            await bench.until_ended(200)
            await turns()
            jobs = await bench.jobs(ids)
            assert {(job.status, job.attempt, job.claim) for job in jobs} == {(Status.COMPLETED, 1, 1)}
            assert Counter(run.job.id for run in bench.ended) == dict.fromkeys(ids, 1)
            shares = Counter(job.worker_id for job in jobs)
            assert set(shares.values()) == {200 // workers}, "jobs of one length are shared evenly"
            # claims take no virtual time, so this is the ideal
            assert bench.loop.time() == pytest.approx(200 / workers)

    run_virtual(play())


@pytest.mark.parametrize("workers", [1, 2, 10, 100])
@pytest.mark.parametrize("capacity", [1, 100])
def test_jobs_that_do_nothing_run_once_each_and_spread_over_the_workers(workers: int, capacity: int) -> None:
    async def play() -> None:
        async with Bench(noop, workers=workers, capacity=capacity) as bench:
            ids = await bench.enqueue("noop", count=500)
            await bench.until_ended(500)
            jobs = await bench.jobs(ids)
            assert {(job.status, job.attempt, job.claim) for job in jobs} == {(Status.COMPLETED, 1, 1)}
            assert Counter(run.job.id for run in bench.ended) == dict.fromkeys(ids, 1)
            assert len({job.worker_id for job in jobs}) == workers

    run_virtual(play())


def test_a_worker_gives_the_loop_a_turn_between_two_jobs() -> None:
    async def play() -> None:
        happened: list[str] = []

        async def job() -> None:
            happened.append("job")
            asyncio.get_running_loop().call_soon(happened.append, "turn")

        async with Bench(job, workers=1, capacity=100) as bench:
            await turns()
            assert bench.node._life is not None
            bench.node._life.channel.send_all([claimed_job("job", id=str(number)) for number in range(20)])
            await bench.until(lambda: len(bench.fenced) == 20)
            assert happened == ["job", "turn"] * 20

    run_virtual(play())


def test_a_thousand_workers_with_a_channel_of_one() -> None:
    async def play() -> None:
        async with Bench(second, workers=1000, capacity=1) as bench:
            ids = await bench.enqueue("second", count=1000)
            await bench.until_ended(1000)
            assert len({job.worker_id for job in await bench.jobs(ids)}) == 1000
            assert bench.loop.time() == pytest.approx(1.0)

    run_virtual(play())


def test_each_worker_has_an_id_in_log_records_and_outcomes(caplog: pytest.LogCaptureFixture) -> None:
    async def talk(ctx: Context) -> None:
        ctx.log.warning("here")
        await pause(1.0)

    async def play() -> None:
        async with Bench(talk, workers=3) as bench:
            ids = await bench.enqueue("talk", count=3)
            await bench.until_ended(3)
            node = bench.node.id
            names = {f"{node}/worker-{number}" for number in (1, 2, 3)}
            assert {job.worker_id for job in await bench.jobs(ids)} == names
            logged = {record.__dict__["worker_id"] for record in caplog.records if record.name == "ferryman.handler"}
            assert logged == names

    with caplog.at_level(logging.WARNING, "ferryman.handler"):
        run_virtual(play())


def test_stop_order_is_dispatcher_then_channel_then_workers_then_completer() -> None:
    async def play() -> None:
        happened: list[str] = []
        bench = Bench(second, workers=1, capacity=3)
        await bench.node.start()
        life = bench.node._life
        assert life is not None
        ids = await bench.enqueue("second", count=3)
        await turns()
        close = life.channel.close
        claims = bench.store.calls.count("claim")

        def closing() -> list[object]:
            happened.append("channel" if life.pool.in_progress else "channel again")
            return list(close())

        life.channel.close = closing  # type: ignore[assignment,method-assign]
        stop_pool, stop_completer = life.pool.stop, life.completer.stop

        async def pool(*given: object) -> None:
            happened.append("workers")
            await stop_pool(*given)  # type: ignore[arg-type]

        async def completer(patience: float) -> int:
            happened.append("completer")
            return await stop_completer(patience)

        life.pool.stop, life.completer.stop = pool, completer  # type: ignore[method-assign,assignment]
        await bench.node.stop()
        assert happened == ["channel", "workers", "channel again", "completer"]
        assert bench.store.calls.count("claim") == claims, "nothing is claimed once the stop has begun"
        assert bench.store.calls[-2:] == ["retire", "open_batches"], "and a look at what may have come meanwhile"
        assert [job.status for job in await bench.jobs(ids)] == [Status.COMPLETED, Status.PENDING, Status.PENDING]

    run_virtual(play())


def test_the_worker_layer_takes_no_lock() -> None:
    forbidden = {"Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Barrier"}
    for module in WORKER_LAYER:
        names = {node.id for node in ast.walk(tree(module)) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute)}
        assert not names & forbidden, module
        assert not {name for name in imports(module) if name.split(".")[0] in ("threading", "multiprocessing")}, module


def test_workers_know_neither_http_nor_settings_nor_a_store() -> None:
    for module in WORKER_LAYER:
        for name in imports(module):
            assert not name.startswith(
                ("ferryman.http", "ferryman.settings", "ferryman.observe", "starlette", "uvicorn")
            )
            assert not name.startswith("ferryman.store") or name in (
                "ferryman.store.protocol",
                "ferryman.store.protocol.Clock",
            ), f"{module} imports {name}"
    assert not hasattr(Worker, "store")


def test_nothing_in_the_engine_sleeps() -> None:
    spec = importlib.util.find_spec("ferryman.engine")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    for path in Path(spec.submodule_search_locations[0]).glob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
        assert "sleep" not in names, path.name
