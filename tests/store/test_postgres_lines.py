"""A line of connections, and connections that end under it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from ferryman.domain.errors import NodeNotLive, StoreUnreachable
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.steps import Ask, Steps, ask
from ferryman.store.postgres.target import Target
from tests.postgres.databases import Databases
from tests.postgres.proxy import Proxy
from tests.servers import migrated

pytestmark = pytest.mark.anyio
PATIENCE = 60.0


@pytest.fixture
def proxy(postgres: Databases) -> Iterator[Proxy]:
    with migrated(postgres) as url, Proxy(url) as proxy:
        yield proxy


@pytest.fixture
async def line(proxy: Proxy) -> AsyncIterator[Line]:
    line = Line(Target.of(proxy.url()), Statements(), size=1, seconds=PATIENCE)
    await line.open()
    yield line
    await line.close()


async def backend(line: Line) -> int:
    [[pid]] = await line.do(ask("backend"))
    assert isinstance(pid, int)
    return pid


@pytest.mark.parametrize("verb", ["do", "transact"])
async def test_a_connection_that_ends_in_the_middle_is_an_error_with_a_code_and_another_one_is_made(
    proxy: Proxy, line: Line, verb: str
) -> None:
    before = await backend(line)
    proxy.freeze()
    asked = asyncio.ensure_future(getattr(line, verb)(ask("lanes")))
    assert await asyncio.to_thread(proxy.wait_for_request, PATIENCE)
    await asyncio.to_thread(proxy.cut)
    with pytest.raises(StoreUnreachable) as caught:
        await asked
    assert caught.value.why[0].isupper() or caught.value.why[0] == "["
    proxy.thaw()
    proxy.restore()
    assert await backend(line) != before


async def test_a_connection_whose_caller_gave_up_is_not_used_again(proxy: Proxy, line: Line) -> None:
    before = await backend(line)
    proxy.freeze()
    asked = asyncio.ensure_future(line.do(ask("lanes")))
    assert await asyncio.to_thread(proxy.wait_for_request, PATIENCE)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    proxy.thaw()
    assert await backend(line) != before


@pytest.mark.parametrize("cut", [False, True])
async def test_what_a_verb_raises_in_a_transaction_is_what_its_caller_gets(
    proxy: Proxy, line: Line, *, cut: bool
) -> None:
    """Also where the connection ends before the rollback could be said."""

    def refusing() -> Steps[Any]:
        yield Ask("lanes")
        if cut:
            proxy.cut()
        raise NodeNotLive("It has ended.")

    before = await backend(line)
    with pytest.raises(NodeNotLive):
        await line.transact(refusing())
    proxy.restore()
    assert (await backend(line) == before) is not cut
