"""Handlers in worker processes enqueue where their node does, whatever the environment and the code say."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ferryman import main
from ferryman.briefing import for_worker_processes
from ferryman.cli.target import load_target
from ferryman.client import JobRequest
from ferryman.domain.state import Status
from ferryman.settings import Settings
from ferryman.store.protocol import JobFilter

pytestmark = pytest.mark.anyio

JOBS = """
from ferryman import Ferryman

app = Ferryman("sqlite:///never.db")
other = Ferryman("sqlite:///other.db", accept_unknown_types=True)

@app.job
async def noted(word: str) -> str:
    return word

@other.job
def elsewhere() -> None: ...

@app.job(process=True)
def follows_up(words: list[str]) -> list[str]:
    app.enqueue_many(noted.call(word) for word in words)
    return [noted.enqueue("last").result(timeout=60), elsewhere.enqueue().id]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with the jobs in it; whatever the target adds to the interpreter goes with the test."""
    (tmp_path / "follow_up_jobs.py").write_text(JOBS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FERRYMAN_DATABASE_URL", "sqlite:///environment.db")
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("follow_up_jobs", None)


def settings(database_url: str) -> Settings:
    return Settings(port=0, database_url=database_url, worker_count=2)


async def test_what_they_enqueue_is_in_the_nodes_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = load_target("follow_up_jobs.py", folder)
    server = main.Server(settings("sqlite:///jobs.db"), app.registry, attach=app.attach)
    await server.start()
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")  # a handler in a thread may have done so
    payload = '{"words": ["a", "b"]}'
    done = await server.client.wait((await server.client.enqueue(JobRequest("follows_up", payload))).id, 60)
    assert done.status is Status.COMPLETED, done.error
    assert '"last"' in (done.result or "")
    assert await server.stop() == main.CLEAN
    assert {path.name for path in folder.rglob("*.db")} == {"jobs.db", "other.db"}, "the other app's jobs are its own"


async def test_a_store_in_the_nodes_memory_is_out_of_reach(folder: Path) -> None:
    app = load_target("follow_up_jobs.py", folder)
    server = main.Server(settings("memory://"), app.registry, attach=app.attach)
    await server.start()
    request = JobRequest("follows_up", '{"words": []}', max_attempts=1)
    done = await server.client.wait((await server.client.enqueue(request)).id, 60)
    assert (done.error and done.error.type) == "BadSetting"
    assert "worker process cannot reach" in (done.error.message if done.error else "")
    assert await server.stop() == main.CLEAN
    assert not list(folder.glob("*.db"))


def test_the_settings_that_travel_are_those_of_the_client() -> None:
    told: dict[str, Any] = for_worker_processes(Settings(database_url="sqlite:///a/b.db", max_body=2048))
    assert told == {
        "database_url": f"sqlite:///{Path.cwd()}/a/b.db",
        "max_pending": "0",
        "max_age": "0s",
        "accept_unknown_types": "false",
        "retention": "completed=24h,failed=14d,cancelled=14d",
        "max_body": "2KiB",
    }
    assert for_worker_processes(Settings(database_url="memory://"))["database_url"] == "memory://"


HOOKED = """
from ferryman import Context, Ferryman

app = Ferryman()
said = []

@app.on_startup
async def opens():
    said.append((await noted.aenqueue("startup")).id)

@app.on_shutdown
async def closes():
    await noted.aenqueue("shutdown")

@app.middleware
async def around(ctx, call_next):
    if ctx.job.type == "blocks":
        await noted.aenqueue("middleware")
    return await call_next()

@app.job
async def noted(word: str) -> str:
    return word

@app.job_with_context(process=True)
def blocks(ctx: Context) -> str:
    ctx.enqueue(noted.call("follow-up"))
    return noted.enqueue("handler").result(timeout=60) + str(len(said))
"""


async def test_hooks_and_middleware_around_them_enqueue_and_the_handler_may_block(folder: Path) -> None:
    (folder / "follow_up_jobs.py").write_text(HOOKED)
    app = load_target("follow_up_jobs.py", folder)
    server = main.Server(settings("sqlite:///jobs.db"), app.registry, attach=app.attach)
    await server.start()
    done = await server.client.wait((await server.client.enqueue(JobRequest("blocks"))).id, 60)
    assert (done.status, done.result) == (Status.COMPLETED, '"handler1"'), done.error
    assert await server.stop() == main.CLEAN
    reader = main.Server(settings("sqlite:///jobs.db"), app.registry)
    await reader.client.open()
    words = sorted(job.payload for job in await reader.client.list(JobFilter()) if job.type == "noted")
    await reader.client.close()
    told = ["follow-up", "handler", "middleware", "shutdown", "shutdown", "startup", "startup"]
    assert words == [f'{{"word":"{word}"}}' for word in told], "the node called its hooks, and the process its own"
