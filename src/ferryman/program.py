"""One process of ours, from its settings to its exit code: its event loop, its signals, its log."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any, Final, cast

from ferryman.briefing import OFF
from ferryman.engine.registry import Registry
from ferryman.main import FORCED, Attach, Server
from ferryman.observe import logs
from ferryman.settings import Settings
from ferryman.supervise.role import EVERYTHING, Role

try:
    import uvloop
except ImportError:  # where there is none, asyncio's own loop does
    new_event_loop = asyncio.new_event_loop
else:
    new_event_loop = uvloop.new_event_loop

SWITCH_INTERVAL: Final = 0.0002
"""Seconds after which a busy thread gives way. The store's thread waits for the interpreter after each of
SQLite's calls: with Python's default of 5 ms the busy event loop would leave it a third of its speed."""


async def serve(
    settings: Settings,
    registry: Registry,
    role: Role = EVERYTHING,
    *,
    ready: Callable[[Server], None],
    attach: Attach | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code. A second signal ends the process at once, with 4.

    SIGUSR1 has it claim no more.

    Args:
        ready: told the server once everything runs.

    Raises:
        StoreError, PortInUse, BadSetting: a part could not start.
    """
    server = Server(settings, registry, role, attach=attach)
    stop = asyncio.get_running_loop().create_future()
    with signals(stop, server.quiet):
        starting = asyncio.ensure_future(server.start())
        await asyncio.wait((starting, stop), return_when=asyncio.FIRST_COMPLETED)
        ending = server.ending
        if not stop.done() and ending is not None:
            starting.result()
            ready(server)
            await asyncio.wait((stop, ending), return_when=asyncio.FIRST_COMPLETED)
        code = await server.stop()
        await starting
        return max(code, ending.result()) if ending is not None and ending.done() else code


def run(
    settings: Settings,
    registry: Registry,
    role: Role = EVERYTHING,
    *,
    attach: Attach | None = None,
    ready: Callable[[Server], None] | None = None,
) -> int:
    """Serve in this process, which is ours alone; gives the exit code.

    Args:
        ready: told the server once everything runs, after the line that says so.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    lowest = None if settings.log_capture == OFF else settings.log_capture
    pipe = logs.configure(settings.log_level, cast("logs.Format", settings.log_format), lowest=lowest)
    try:
        return run_loop(serve(settings, registry, role, ready=partial(_say_ready, role, ready), attach=attach))
    finally:
        pipe.stop()


def _say_ready(role: Role, then: Callable[[Server], None] | None, server: Server) -> None:
    """The one line on standard output, for whoever waits for it. A node process of a fleet tells its supervisor."""
    if role.report_to is None:
        sys.stdout.write(f"{_line(server)}\n")
        sys.stdout.flush()
    if then is not None:
        then(server)


def _line(server: Server) -> str:
    if server.url:
        return f"ferryman listening on {server.url}"
    if server.fleet is not None:
        return "ferryman working in processes of its own"
    return f"ferryman working as node {server.node.id}"


def run_loop(work: Coroutine[Any, Any, int]) -> int:
    """Like `asyncio.run`, but a handler that swallows its cancellation does not keep the process alive."""
    loop = new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(work)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=1.0))
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def signals(stop: asyncio.Future[None], quiet: Callable[[], None]) -> Generator[None]:
    """The first SIGTERM or SIGINT resolves `stop`, the second ends the process, even while the loop is blocked.

    SIGUSR1 calls `quiet`.
    """
    loop = asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may have signals
        return

    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(FORCED)
        asked = True
        loop.call_soon_threadsafe(_resolve, stop)

    def hush(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(quiet)

    handlers = {signal.SIGTERM: ask, signal.SIGINT: ask, signal.SIGUSR1: hush}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _resolve(stop: asyncio.Future[None]) -> None:
    if not stop.done():
        stop.set_result(None)
