"""The loop of the kit: it jumps over sleeping, and waits for real work."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from ferryman.testing.kit.loop import KitLoop


@pytest.fixture
def loop() -> Iterator[KitLoop]:
    loop = KitLoop()
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def test_sleeping_takes_no_time_however_long(loop: KitLoop) -> None:
    loop.run_until_complete(asyncio.sleep(10**9))
    assert 10**9 <= loop.time() < 10**9 + 1


def test_a_thread_s_work_is_waited_for(loop: KitLoop) -> None:
    async def main() -> None:
        begun, go = asyncio.Event(), threading.Event()

        def work() -> bool:
            loop.call_soon_threadsafe(begun.set)
            return go.wait(60)

        async with asyncio.timeout(30):
            working = loop.run_in_executor(None, work)
            await begun.wait()
            loop.call_soon(go.set)
            assert await working

    loop.run_until_complete(main())
    assert loop.time() < 30
    loop.run_until_complete(asyncio.sleep(1000))
    assert loop.time() > 1000


def test_an_answer_over_a_socket_is_waited_for(loop: KitLoop) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    asked = threading.Event()

    def answer() -> None:
        asked.wait(60)
        theirs.sendall(b"answer")

    async def main() -> bytes:
        async with asyncio.timeout(30):
            reading = asyncio.create_task(loop.sock_recv(ours, 6))
            loop.call_later(0, loop.call_soon, asked.set)
            return await reading

    answering = threading.Thread(target=answer)
    answering.start()
    assert loop.run_until_complete(main()) == b"answer"
    answering.join()
    ours.close()
    theirs.close()


def test_what_nothing_brings_about_is_an_error(loop: KitLoop) -> None:
    with pytest.raises(AssertionError, match="wait for ever"):
        loop.run_until_complete(_forever())


async def _forever() -> None:
    await asyncio.Event().wait()
