"""What the proxy does to connections, as a client meets it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import anyio
import asyncpg
import pytest

from tests.postgres import admin
from tests.postgres.cluster import Cluster
from tests.postgres.proxy import Proxy

pytestmark = pytest.mark.anyio

PATIENCE = 60
BROKEN = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    with Proxy(cluster.url()) as proxy:
        yield proxy


@pytest.fixture
def server(cluster: Cluster) -> Iterator[str]:
    """A database with one empty table, without the proxy."""
    name = "proxied"
    cluster.create(name)
    with admin.connected(cluster.url(name)) as connection:
        connection.execute("CREATE TABLE note (number int)")
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
async def client(proxy: Proxy, server: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(proxy.url("proxied"))
    yield connection
    connection.terminate()


def notes(server: str) -> int:
    with admin.connected(server) as connection:
        (count,) = connection.execute("SELECT count(*) FROM note").fetchone() or (0,)
        assert isinstance(count, int)
        return count


async def fails(step: Awaitable[object]) -> None:
    """As it does when the connection is lost."""
    with pytest.raises(BROKEN):
        await step


async def held(wait: Callable[[float], bool]) -> None:
    """One of the proxy's ways to wait."""
    assert await anyio.to_thread.run_sync(wait, PATIENCE)


async def test_it_forwards_both_ways(client: Any, proxy: Proxy) -> None:
    text = "x" * 1_000_000
    assert await client.fetchval("SELECT $1::text || 'y'", text) == text + "y"
    assert proxy.connections == 1


async def test_two_connections_are_two(client: Any, proxy: Proxy) -> None:
    other = await asyncpg.connect(proxy.url("postgres"))
    assert proxy.connections == 2
    assert await other.fetchval("SELECT current_database()") == "postgres"
    assert await client.fetchval("SELECT current_database()") == "proxied"
    other.terminate()


async def test_its_url_is_the_servers_but_for_the_place() -> None:
    with Proxy("postgresql://ann:p%40ss@[::1]:5433/jobs?sslmode=disable") as proxy:
        assert proxy.url() == f"postgresql://ann:p%40ss@127.0.0.1:{proxy.port}/jobs?sslmode=disable"
        assert proxy.url("x") == f"postgresql://ann:p%40ss@127.0.0.1:{proxy.port}/x?sslmode=disable"


async def test_a_cut_resets_connections_and_refuses_new_ones_until_it_is_mended(client: Any, proxy: Proxy) -> None:
    lost = asyncio.create_task(client.execute("SELECT pg_sleep(1000)"))
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    proxy.cut()
    assert proxy.connections == 0
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    await fails(lost)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)
    await fails(client.execute("SELECT 1"))
    proxy.restore()
    again = await asyncpg.connect(proxy.url("proxied"))
    assert await again.fetchval("SELECT 1") == 1
    again.terminate()


async def test_a_drop_ends_what_is_open_and_accepts_what_is_new(client: Any, proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    proxy.drop()
    assert proxy.connections == 0
    assert await reader.read() == b""
    writer.close()
    await fails(client.execute("SELECT 1"))
    again = await asyncpg.connect(proxy.url("proxied"))
    assert await again.fetchval("SELECT 1") == 1
    again.terminate()


async def test_what_is_frozen_arrives_after_the_thaw(client: Any, proxy: Proxy, server: str) -> None:
    proxy.freeze()
    late = asyncio.create_task(client.execute("INSERT INTO note VALUES (1)"))
    await held(proxy.wait_for_request)
    assert notes(server) == 0
    proxy.thaw()
    assert await late == "INSERT 0 1"


async def test_an_answer_that_is_under_way_when_the_line_freezes_does_not_arrive(
    client: Any, proxy: Proxy, server: str
) -> None:
    with admin.connected(server) as connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        busy = asyncio.Event()
        client.add_log_listener(lambda *_: busy.set())
        block = "DO $$ BEGIN RAISE NOTICE 'I wait'; PERFORM pg_advisory_lock(1); END $$"
        answer = asyncio.create_task(client.execute(block))
        await busy.wait()
        proxy.freeze()
        connection.execute("SELECT pg_advisory_unlock(1)")
    await held(proxy.wait_for_reply)
    assert not answer.done()
    proxy.thaw()
    assert await answer == "DO"


async def test_a_frozen_line_does_not_tell_the_server_of_a_new_connection() -> None:
    heard: list[asyncio.StreamWriter] = []
    came = asyncio.Event()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(writer)
        came.set()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        with Proxy(f"postgresql://127.0.0.1:{server.sockets[0].getsockname()[1]}/x") as proxy:
            proxy.freeze()
            _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"hello")
            await held(proxy.wait_for_request)
            assert heard == []
            proxy.thaw()
            await came.wait()
        for each in (writer, *heard):
            each.close()


async def test_a_new_connection_to_a_frozen_line_is_accepted_and_told_nothing(proxy: Proxy, server: str) -> None:
    proxy.freeze()
    connecting = asyncio.create_task(asyncpg.connect(proxy.url("proxied")))
    await held(proxy.wait_for_request)
    assert proxy.connections == 1
    proxy.thaw()
    connection = await connecting
    assert await connection.fetchval("SELECT 1") == 1
    connection.terminate()


async def test_the_server_does_not_hear_that_a_client_has_gone_while_frozen(
    client: Any, proxy: Proxy, server: str
) -> None:
    await client.execute("SELECT pg_advisory_lock(1)")
    proxy.freeze()
    client._transport.abort()  # without a word
    await held(proxy.wait_for_request)
    with admin.connected(server) as connection:
        assert connection.execute("SELECT pg_try_advisory_lock(1)").fetchone() == (False,)
        proxy.thaw()
        connection.execute("SELECT pg_advisory_lock(1)")


async def test_no_answer_passes_while_replies_are_swallowed(client: Any, proxy: Proxy, server: str) -> None:
    proxy.swallow_replies()
    unheard = asyncio.create_task(client.execute("INSERT INTO note VALUES (1)"))
    await held(proxy.wait_for_reply)
    assert notes(server) == 1
    assert not unheard.done()
    proxy.thaw()
    assert await unheard == "INSERT 0 1"


@pytest.mark.parametrize("transaction", [False, True])
async def test_what_commits_and_is_lost_with_its_answer(
    client: Any, proxy: Proxy, server: str, transaction: bool
) -> None:
    async def insert() -> None:
        if not transaction:
            await client.execute("INSERT INTO note VALUES ($1)", 1)
            return
        async with client.transaction():
            for number in range(3):
                await client.execute("INSERT INTO note VALUES ($1)", number)

    proxy.swallow_commits()
    unheard = asyncio.create_task(insert())
    await held(proxy.wait_for_commit)
    assert notes(server) == (3 if transaction else 1)
    proxy.drop()
    await fails(unheard)
    proxy.thaw()
    assert notes(server) == (3 if transaction else 1)


async def test_a_slow_line_delays_each_chunk_and_keeps_their_order(
    client: Any, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr("tests.postgres.links.asyncio.sleep", noted)
    proxy.delay(0.25)
    text = "".join(map(str, range(100_000)))
    assert await client.fetchval("SELECT $1::text", text) == text
    assert waits.count(0.25) > 10
    proxy.delay(0)
    waits.clear()
    await client.execute("SELECT 1")
    assert 0.25 not in waits[2:]


async def test_a_server_that_dies_is_heard_of(client: Any, proxy: Proxy, cluster: Cluster) -> None:
    lost = asyncio.create_task(client.execute("SELECT pg_sleep(1000)"))
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    await anyio.to_thread.run_sync(cluster.kill)
    await fails(lost)
    assert await ended(reader) == b""
    writer.close()
    await fails(asyncpg.connect(proxy.url("proxied"), timeout=PATIENCE))
    await anyio.to_thread.run_sync(cluster.start)
    again = await asyncpg.connect(proxy.url("proxied"))
    assert await again.fetchval("SELECT 1") == 1
    again.terminate()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What comes until the end, whichever end it is."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_it_leaves_no_thread() -> None:
    before = set(threading.enumerate())  # some of which may end meanwhile
    proxy = Proxy("postgresql://127.0.0.1:1/none")
    proxy.start()
    assert [thread.name for thread in set(threading.enumerate()) - before] == ["proxy"]
    proxy.close()
    assert not set(threading.enumerate()) - before
