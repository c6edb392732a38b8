"""No fork comes between while another thread makes a connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import asyncpg
import pytest

from ferryman.store.postgres.connecting import Connecting

pytestmark = pytest.mark.anyio


class Hooks:
    """Stands in for the system's: what is to be called around a fork."""

    def __init__(self) -> None:
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def register(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        self.before, self.after = before, after


async def test_a_fork_waits_for_the_connection_of_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks, begun, go_on = Hooks(), asyncio.Event(), asyncio.Event()
    connecting = Connecting(hooks.register)

    async def slowly(url: str) -> str:
        begun.set()
        await go_on.wait()
        return url

    monkeypatch.setattr(asyncpg, "connect", slowly)
    asked = asyncio.ensure_future(connecting.connect("there"))
    await begun.wait()
    forked = threading.Event()

    def fork() -> None:
        hooks.before()
        forked.set()
        hooks.after()

    thread = threading.Thread(target=fork)
    thread.start()
    assert not forked.is_set()
    go_on.set()
    assert await asked == "there"
    await asyncio.to_thread(thread.join)
    assert forked.is_set()


async def test_a_fork_does_not_wait_for_what_its_own_thread_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks, begun, go_on = Hooks(), asyncio.Event(), asyncio.Event()
    connecting = Connecting(hooks.register)

    async def slowly() -> None:
        begun.set()
        await go_on.wait()

    monkeypatch.setattr(asyncpg, "connect", slowly)
    asked = asyncio.ensure_future(connecting.connect())
    await begun.wait()
    hooks.before()
    hooks.after()
    hooks.after()  # of a fork that had begun before this store was made
    go_on.set()
    await asked


async def test_what_fails_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = Hooks()
    connecting = Connecting(hooks.register)

    async def refused() -> None:
        raise ConnectionResetError

    monkeypatch.setattr(asyncpg, "connect", refused)
    with pytest.raises(ConnectionResetError):
        await connecting.connect()
    await asyncio.to_thread(lambda: (hooks.before(), hooks.after()))
