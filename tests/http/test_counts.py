"""GET /counts."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ferryman.domain.outcome import Outcome, What
from tests.http.world import World, is_problem, talk

pytestmark = pytest.mark.anyio
NONE: dict[str, Any] = {
    "waiting": 0,
    "scheduled": 0,
    "pending": 0,
    "processing": 0,
    "completed": 0,
    "failed": 0,
    "cancelled": 0,
}


async def create(http: httpx.AsyncClient, **members: object) -> str:
    answer = await http.post("/jobs", json={"type": "echo"} | members)
    assert answer.status_code == 201
    id: str = answer.json()["id"]
    return id


async def counted(http: httpx.AsyncClient, query: str = "") -> dict[str, Any]:
    """What is not 0."""
    answer = await http.get(f"/counts{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found: dict[str, Any] = answer.json()
    assert list(found) == list(NONE)
    return {name: n for name, n in found.items() if n}


async def test_every_status_is_counted(world: World, http: httpx.AsyncClient) -> None:
    assert await counted(http) == {}
    await create(http)
    await world.finish(Outcome(What.DONE, result="1"))
    failed = await create(http)
    await world.finish(Outcome(What.FAILED, retryable=False))
    await http.post(f"/jobs/{await create(http)}/cancel")
    await create(http)
    await world.claim()
    await create(http, delay=60)
    await http.post("/keys/k/pause")
    await create(http, key="k")
    every = {"waiting": 1, "scheduled": 1, "processing": 1, "completed": 1, "failed": 1, "cancelled": 1}
    assert await counted(http) == every
    await http.post(f"/jobs/{failed}/retry")
    del every["failed"]
    assert await counted(http) == every | {"pending": 1}


async def test_queues_and_types_say_which(http: httpx.AsyncClient) -> None:
    for queue in ("a", "b", "c"):
        await create(http, queue=queue)
    assert await counted(http, "?queue=a&queue=b") == {"pending": 2}
    assert await counted(http, "?type=e*o&type=never") == {"pending": 3}
    assert await counted(http, "?queue=a&type=other") == {}


async def test_a_limited_key_has_its_queues_alone(world: World, http: httpx.AsyncClient) -> None:
    for queue in ("mail", "default"):
        await create(http, queue=queue)
    key = await world.key("read", queues=["mail"])
    async with talk(world.api) as limited:
        limited.headers.update(key)
        assert await counted(limited) == {"pending": 1}
        assert await counted(limited, "?queue=mail") == {"pending": 1}
        is_problem(await limited.get("/counts?queue=mail&queue=default"), 403, "FM604")


async def test_manners(http: httpx.AsyncClient) -> None:
    is_problem(await http.get("/counts?status=failed"), 400, "FM401")
    is_problem(await http.get("/counts?queue="), 400, "FM401")
