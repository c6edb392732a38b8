"""A fresh world per test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.http.world import World, talk


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with talk(world.api) as client:
        yield client
