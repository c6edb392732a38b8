"""Hooks as users declare them, and as a served process calls them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from ferryman import Context, Ferryman, errors
from ferryman.cli.report import exit_code
from ferryman.testing.serving import READY

PATIENCE = 60


def test_the_decorators_give_the_functions_back_and_the_registry_has_them() -> None:
    app, other = Ferryman("memory://"), Ferryman("memory://")

    @app.on_startup
    def start() -> None: ...

    @app.on_shutdown
    async def stop() -> None: ...

    @app.middleware
    async def around(ctx: Context, call_next: Callable[[], Awaitable[Any]]) -> Any:
        return await call_next()

    @app.on_failure
    def failed(ctx: Context, error: BaseException) -> None: ...

    hooks = app.registry.hooks
    assert app.hooks is hooks
    assert (hooks.startup, hooks.shutdown, hooks.middleware, hooks.failure) == ([start], [stop], [around], [failed])
    assert not any(vars(other.hooks).values()), "two apps know nothing of each other"
    start()
    assert start.__name__ == "start"


def test_what_is_no_hook_is_refused_with_a_code() -> None:
    app = Ferryman("memory://")

    def around(ctx: Context, call_next: Callable[[], Awaitable[Any]]) -> Any:
        return call_next()

    with pytest.raises(errors.BadHandler, match="around cannot be middleware"):
        app.middleware(around)


def test_an_app_that_only_enqueues_calls_no_startup_hook() -> None:
    with Ferryman("memory://") as app:
        app.on_startup(lambda: pytest.fail("It handles no jobs."))

        @app.job
        def send(to: str) -> None: ...

        send.enqueue("a")


JOBS = """
import sys
from ferryman import Ferryman

app = Ferryman()

def say(text):
    print(text, flush=True)

@app.job
async def greet(name: str) -> str:
    if name == "nobody":
        raise ValueError("whom?")
    return f"hello {name}"

@app.on_startup
async def open_pool():
    say("open pool")
    await greet.aenqueue("startup")

@app.on_shutdown
async def close_pool():
    say("close pool")
    await greet.aenqueue("shutdown")

@app.middleware
async def shout(ctx, call_next):
    return (await call_next()).upper()

@app.on_failure
def report(ctx, error):
    say(f"{ctx.job.type} {type(error).__name__}: {error} final={ctx.final}")

# more
"""


def served(tmp_path: Path, more: str = "") -> subprocess.Popen[str]:
    (tmp_path / "jobs.py").write_text(JOBS + more)
    return subprocess.Popen(
        [sys.executable, "-m", "ferryman", "serve", "jobs.py", "--port", "0"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_served_process_calls_its_hooks(tmp_path: Path) -> None:
    with served(tmp_path) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "open pool\n"
            url = process.stdout.readline().removeprefix(READY).strip()
            body = {"type": "greet", "payload": {"name": "nobody"}, "max_attempts": 1}
            request = urllib.request.Request(
                f"{url}/jobs", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                assert answer.status == 201
            assert process.stdout.readline() == "greet ValueError: whom? final=True\n"
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "close pool\n"
        assert process.wait(PATIENCE) == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "ferryman.db")) as connection:
        results = connection.execute("SELECT * FROM result").fetchall()
        jobs = connection.execute("SELECT payload FROM job").fetchall()
    assert any("HELLO STARTUP" in str(each) for each in results), "it ran, and the middleware was around it"
    assert {json.loads(payload)["name"] for (payload,) in jobs} == {"startup", "nobody", "shutdown"}


def test_a_startup_hook_that_raises_ends_the_process_with_code_1_and_a_short_text(tmp_path: Path) -> None:
    more = "@app.on_startup\ndef connect():\n    raise ConnectionError('no server at 10.0.0.7')\n"
    with served(tmp_path, more) as process:
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
    assert out == "open pool\nclose pool\n"
    assert "error FM113: The startup hook connect" in err
    assert "ConnectionError: no server at 10.0.0.7" in err
    assert "jobs.py, line" in err
    assert "Traceback" not in err


def test_a_failed_startup_is_a_failed_operation_other_wrong_settings_are_wrong_usage() -> None:
    assert (exit_code(errors.StartupFailed("x")), exit_code(errors.BadSetting("x"))) == (1, 2)
