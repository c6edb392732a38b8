"""The blocking face, other event loops, attached clients, forks, the end of the process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from ferryman import Ferryman, errors
from ferryman.calls import Call
from ferryman.client import Client
from ferryman.crossing import Crossing
from ferryman.domain.job import Job
from ferryman.domain.outcome import Outcome
from ferryman.domain.state import Status
from ferryman.store.sqlite import SqliteStore
from tests.client.world import DONE, FAILED, World

pytestmark = pytest.mark.anyio


@pytest.fixture
def app() -> Iterator[Ferryman]:
    with Ferryman("memory://") as app:
        yield app


def send(to: str) -> str:
    return to


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ferryman-client"]


# -- blocking and awaiting ---------------------------------------------------------------------------


async def test_a_blocking_call_on_a_running_loop_names_what_to_await(app: Ferryman) -> None:
    job = app.job(send)
    handle = await job.aenqueue("a")
    for blocking, instead in (
        (lambda: job.enqueue("a"), "aenqueue"),
        (job.call("a").enqueue, "aenqueue"),
        (handle.status, "astatus"),
        (handle.result, "aresult"),
        (lambda: app.enqueue_many([job.call("a")]), "aenqueue_many"),
    ):
        with pytest.raises(errors.SyncInsideLoop, match=instead):
            blocking()
    assert await handle.astatus() is Status.PENDING


async def test_many_are_refused_on_a_running_loop_before_any_is_read(app: Ferryman) -> None:
    job = app.job(send)
    read: list[int] = []

    def calls() -> Iterator[Call[str]]:
        read.append(1)
        yield job.call("a")

    with pytest.raises(errors.SyncInsideLoop):
        app.enqueue_many(calls())
    assert read == []


async def test_many_tasks_of_any_loop_enqueue_together(app: Ferryman) -> None:
    job = app.job(send)
    handles = await asyncio.gather(*(job.aenqueue(str(number)) for number in range(300)))
    assert len({handle.id for handle in handles}) == 300
    assert [await handle.astatus() for handle in handles[:3]] == [Status.PENDING] * 3


def test_one_loop_after_another_uses_the_same_client(app: Ferryman) -> None:
    job = app.job(send)
    first = asyncio.run(job.aenqueue("a"))
    second = asyncio.run(job.aenqueue("b"))
    assert [first.status(), second.status()] == [Status.PENDING] * 2
    assert len(threads()) == 1


def test_threads_share_one_client(app: Ferryman) -> None:
    job = app.job(send)
    with ThreadPoolExecutor(8) as pool:
        handles = list(pool.map(lambda number: job.enqueue(str(number)), range(100)))
    assert len({handle.id for handle in handles}) == 100
    assert len(threads()) == 1


async def test_many_calls_may_arrive_asynchronously(app: Ferryman) -> None:
    job = app.job(send)

    async def calls() -> AsyncIterator[Call[str]]:
        for number in range(1001):
            yield job.call(str(number))

    assert await app.aenqueue_many(calls()) == 1001
    assert await app.aenqueue_many([job.call("a")]) == 1


async def test_errors_cross_as_they_are(app: Ferryman) -> None:
    job = app.job(send)
    with pytest.raises(errors.BadOption, match="priority"):
        await job.call("a").options(priority=77).aenqueue()


async def test_a_cancelled_wait_ends_on_the_other_side_too(app: Ferryman) -> None:
    handle = await app.job(send).aenqueue("a")
    ended = threading.Event()

    async def wait(client: Client) -> None:
        try:
            await client.wait(handle.id)
        finally:
            ended.set()

    waiting = asyncio.create_task(app._bridge.acall(wait))
    await asyncio.wait([waiting], timeout=0)
    await handle.astatus()  # by now the errand before this one has been taken
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.to_thread(ended.wait, 10)


# -- results -----------------------------------------------------------------------------------------


class Attached:
    """An app whose client is a world's, on this loop."""

    def __init__(self) -> None:
        self.world = World(accept_unknown_types=True)
        self.app = Ferryman("memory://")
        self.app.attach(self.world.client)

    async def end(self, outcome: Outcome) -> None:
        node = await self.world.node("send")
        await self.world.end(node, await self.world.claim(node), outcome)


async def test_a_result_is_what_the_handler_returned() -> None:
    attached = Attached()
    handle = await attached.app.job(send).aenqueue("a")
    await attached.end(DONE)
    assert await handle.aresult(timeout=60) == "sent"


async def test_a_failed_job_says_why() -> None:
    attached = Attached()
    handle = await attached.app.job(send).aenqueue("a")
    await attached.end(FAILED)
    with pytest.raises(errors.JobFailed, match="FM501 ValueError: boom") as caught:
        await handle.aresult()
    assert (caught.value.error_code, caught.value.error_type, caught.value.error_message) == (
        "FM501",
        "ValueError",
        "boom",
    )


async def test_a_cancelled_job_has_no_result() -> None:
    attached = Attached()
    handle = await attached.app.job(send).aenqueue("a")
    await attached.world.client.cancel(handle.id)
    with pytest.raises(errors.JobCancelled, match="was cancelled"):
        await handle.aresult()


def test_a_result_that_does_not_come_is_a_timeout(app: Ferryman) -> None:
    handle = app.job(send).enqueue("a")
    with pytest.raises(TimeoutError) as caught:
        handle.result(timeout=0)
    assert isinstance(caught.value, errors.ResultTimeout)


@pytest.mark.parametrize("seconds", [-1, float("nan"), "5"])
async def test_a_bad_timeout_is_refused(app: Ferryman, seconds: Any) -> None:
    handle = app.job(send).handle("01890a5d-ac96-774b-bcce-b302099a8057")
    with pytest.raises(errors.BadOption, match="timeout"):
        await handle.aresult(seconds)


def test_a_handle_is_an_id(app: Ferryman) -> None:
    job = app.job(send)
    handle = job.enqueue("a")
    assert job.handle(handle.id) == handle
    assert len({job.handle(handle.id), handle}) == 1
    assert handle != job.enqueue("a")
    assert handle.id in repr(handle)
    with pytest.raises(errors.BadOption, match="id"):
        job.handle("7")


def test_a_job_that_is_gone_is_not_found(app: Ferryman) -> None:
    handle = app.job(send).handle("01890a5d-ac96-774b-bcce-b302099a8057")
    with pytest.raises(errors.JobNotFound):
        handle.status()
    with pytest.raises(errors.JobNotFound):
        handle.result()


# -- inside a node -----------------------------------------------------------------------------------


async def test_an_attached_client_is_used_on_its_loop_without_a_thread() -> None:
    attached = Attached()
    handle = await attached.app.job(send).aenqueue("a")
    assert [job.id for [job] in attached.world.store.batches] == [handle.id]
    assert threads() == []


async def test_a_handler_in_a_thread_blocks_on_the_nodes_loop() -> None:
    attached = Attached()
    job = attached.app.job(send)
    handle = await asyncio.to_thread(job.enqueue, "a")
    assert attached.world.store.batches[0][0].id == handle.id
    assert await asyncio.to_thread(handle.status) is Status.PENDING
    assert threads() == []


async def test_another_loop_in_the_node_reaches_its_client() -> None:
    attached = Attached()
    job = attached.app.job(send)
    handle = await asyncio.to_thread(lambda: asyncio.run(job.aenqueue("a")))
    assert attached.world.store.batches[0][0].id == handle.id


async def test_a_detached_client_is_used_no_more() -> None:
    attached = Attached()
    attached.app.attach(None)
    with attached.app:
        await attached.app.job(send).aenqueue("a")
        assert attached.world.store.batches == []


def test_a_client_whose_loop_has_ended_is_used_no_more() -> None:
    async def attach() -> Ferryman:
        return Attached().app

    with asyncio.run(attach()) as app:
        assert app.job(send).enqueue("a").status() is Status.PENDING


async def test_close_leaves_an_attached_client_open() -> None:
    attached = Attached()
    attached.app.close()
    assert attached.world.store.closes == 0


# -- ends --------------------------------------------------------------------------------------------


def test_a_closed_app_opens_anew(tmp_path: Path) -> None:
    app = Ferryman(f"sqlite:///{tmp_path}/jobs.db")
    job = app.job(send)
    handle = job.enqueue("a")
    app.close()
    assert threads() == []
    app.close()
    assert handle.status() is Status.PENDING
    app.close()


def test_an_app_that_was_never_used_closes_too() -> None:
    Ferryman("memory://").close()


def test_an_app_that_nobody_holds_any_more_ends_its_thread() -> None:
    Ferryman("memory://").job(send).enqueue("a")
    assert threads() == []


def test_whoever_waits_while_the_app_is_closed_is_told(app: Ferryman) -> None:
    handle = app.job(send).enqueue("a")
    under_way = threading.Event()

    async def wait(client: Client) -> Job:
        under_way.set()
        return await client.wait(handle.id)

    with ThreadPoolExecutor(1) as pool:
        blocked = pool.submit(app._bridge.call, wait, "")
        assert under_way.wait(60)
        app.close()
        with pytest.raises(errors.StoreClosed):
            blocked.result(60)


async def test_a_loop_that_waits_while_the_app_is_closed_is_told(app: Ferryman) -> None:
    handle = await app.job(send).aenqueue("a")
    waiting = asyncio.create_task(handle.aresult())
    await handle.astatus()
    await asyncio.to_thread(app.close)
    with pytest.raises(errors.StoreClosed):
        await waiting


class Stopped:
    """A loop that takes calls and never makes them."""

    def __init__(self) -> None:
        self.called = threading.Event()

    def call_soon_threadsafe(self, *_: object) -> None:
        self.called.set()


def test_an_errand_that_a_stopped_loop_did_not_take_is_told() -> None:
    loop = Stopped()
    crossing = Crossing(cast("asyncio.AbstractEventLoop", loop), lambda: pytest.fail("It connected."))
    with ThreadPoolExecutor(1) as pool:
        blocked = pool.submit(crossing.call, lambda client: client.counts())
        assert loop.called.wait(60)
        crossing.end()
        with pytest.raises(errors.StoreClosed):
            blocked.result(60)
    with pytest.raises(errors.StoreClosed):
        crossing.call(lambda client: client.counts())


def test_an_errand_that_finds_the_thread_ended_is_told(app: Ferryman) -> None:
    job = app.job(send)
    job.enqueue("a")
    crossing = app._bridge._crossing()
    app.close()
    with pytest.raises(errors.StoreClosed):
        crossing.call(lambda client: client.counts())


def test_a_forked_child_starts_anew_and_leaves_its_parent_alone(tmp_path: Path) -> None:
    script = f"""
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from ferryman import Ferryman
app = Ferryman("sqlite:///{tmp_path}/jobs.db")
@app.job
def send(to: str) -> str: return to
mine = send.enqueue("parent")
child = os.fork()
if child == 0:
    theirs = send.enqueue("child")
    print(theirs.status(), mine.status(), theirs.id != mine.id, flush=True)
    app.close()
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), send.enqueue("again").status())
"""
    assert _python(script) == "pending pending True\n0 pending\n"


def test_one_hook_that_is_there_from_the_start_has_forks_wait_for_the_client(tmp_path: Path) -> None:
    """A hook of the client's own would come too late for a fork that waits while the client is made."""
    with Ferryman(f"sqlite:///{tmp_path}/jobs.db") as app:
        job = app.job(send)
        job.enqueue("a")
        writer: Any = cast(SqliteStore, app._bridge._any_client()._store)._writer
        assert writer._session is not None
        app._bridge._forks._before()
        assert writer._session is None
        app._bridge._forks._after()
        job.enqueue("b")
        assert writer._session is not None


@pytest.mark.parametrize(
    "end", ["", "raise SystemExit(0)", "app.close()", "threading.Thread(target=wait, daemon=True).start()"]
)
def test_the_process_ends_without_being_asked(tmp_path: Path, end: str) -> None:
    script = f"""
import contextlib, threading
from ferryman import Ferryman, errors
app = Ferryman("sqlite:///{tmp_path}/jobs.db")
@app.job
def send(to: str) -> str: return to
handle = send.enqueue("a")
def wait():
    with contextlib.suppress(errors.StoreClosed):
        handle.result()
print(handle.status(), flush=True)
{end}
"""
    assert _python(script) == "pending\n"


def _python(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout
