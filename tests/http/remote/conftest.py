"""A client of the API of a fresh world, without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from ferryman.http.remote.client import RemoteClient
from tests.http.remote.lines import Times, client_over
from tests.http.world import World


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
async def client(world: World, times: Times) -> AsyncIterator[RemoteClient]:
    remote = client_over(httpx2.ASGITransport(world.api), times)
    await remote.open()
    yield remote
    await remote.close()
