"""A fresh world per test, and ways to talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.http.sockets import PATIENCE, Served
from tests.http.world import World, talk


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with talk(world.api) as client:
        yield client


@pytest.fixture
async def served(world: World) -> AsyncIterator[Served]:
    served = Served(world)
    await served.start()
    yield served
    served.client.gate.set()
    await served.server.stop(PATIENCE)
