"""Rings between processes: they arrive, they are merged, and nothing about them can fail."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ferryman.store.bell import Ring, Ringing, Silent
from ferryman.store.sqlite.doorbell import Doorbell

pytestmark = pytest.mark.anyio


def expecting(heard: list[Ring], count: int) -> tuple[Callable[[Ring], None], asyncio.Future[None]]:
    """A listener that notes rings, and a future that is done with the last of `count`."""
    enough: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def rung(what: Ring) -> None:
        heard.append(what)
        if len(heard) == count:
            enough.set_result(None)

    return rung, enough


async def test_a_ring_reaches_every_other_process(tmp_path: Path) -> None:
    bells = [Doorbell(tmp_path) for _ in range(3)]
    heard: list[list[Ring]] = [[], [], []]
    waiting = []
    for number, bell in enumerate(bells):
        rung, enough = expecting(heard[number], 1)
        bell.listen(f"node-{number}", rung)
        waiting.append(enough)
    bells[0].ring(Ring.WORK)
    await asyncio.gather(*waiting[1:])
    assert heard == [[], [Ring.WORK], [Ring.WORK]]
    for bell in bells:
        bell.close()
        bell.close()
    assert list(tmp_path.iterdir()) == []


async def test_rings_of_one_kind_are_merged(tmp_path: Path) -> None:
    ringer, listener, heard = Doorbell(tmp_path), Doorbell(tmp_path), list[Ring]()
    rung, enough = expecting(heard, 3)
    listener.listen("node", rung)
    wakeup = Ringing(ringer)
    for _ in range(5):
        wakeup.cancelled("node")
        wakeup.work()
        wakeup.scheduled(1)
    await enough
    assert heard == [Ring.WORK, Ring.SCHEDULED, Ring.CANCELLED]
    listener.close()
    ringer.close()


async def test_ringing_before_there_is_anybody_or_anything_is_no_error(tmp_path: Path) -> None:
    bell = Doorbell(tmp_path / "none")
    bell.ring(Ring.WORK)
    bell.close()


async def test_the_socket_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(str(tmp_path / "dead.sock"))
    dead.close()
    (tmp_path / "letter.sock").write_text("no socket at all")
    bell = Doorbell(tmp_path)
    bell.ring(Ring.WORK)
    assert not (tmp_path / "dead.sock").exists()
    bell.close()


async def test_a_full_socket_is_no_error(tmp_path: Path) -> None:
    ringer, listener = Doorbell(tmp_path), Doorbell(tmp_path)
    rung, enough = expecting([], 1)
    listener.listen("node", rung)
    for _ in range(5000):
        ringer.ring(Ring.WORK)
    await enough
    ringer.close()
    listener.close()


async def test_a_path_too_long_for_a_socket_is_no_error(tmp_path: Path) -> None:
    bell = Doorbell(tmp_path)
    bell.listen("x" * 200, lambda _: None)
    bell.close()
    assert os.listdir(tmp_path) == []


async def test_a_store_that_nobody_else_sees_has_a_silent_bell() -> None:
    bell = Silent()
    bell.listen("node", lambda _: None)
    bell.ring(Ring.WORK)
    bell.close()


async def test_the_folder_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    later = [time.time_ns() + 10**12]
    ringer, first, second = Doorbell(tmp_path, lambda: later[0]), Doorbell(tmp_path), Doorbell(tmp_path)
    heard: list[Ring] = []
    rung, enough = expecting(heard, 2)
    first.listen("first", rung)
    ringer.ring(Ring.WORK)
    known = ringer._known
    ringer.ring(Ring.WORK)
    assert ringer._known is known
    second.listen("second", rung)
    ringer.ring(Ring.CANCELLED)
    await enough
    assert len(ringer._known) == 2
    for bell in (ringer, first, second):
        bell.close()
    ringer.ring(Ring.WORK)
