"""GET /queues and GET /queues/{name}."""

from __future__ import annotations

import httpx
import pytest

from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio
EMPTY = {"pending": 0, "scheduled": 0, "processing": 0, "waiting": 0, "oldest_pending_seconds": None}


async def create(http: httpx.AsyncClient, **members: object) -> None:
    assert (await http.post("/jobs", json={"type": "echo"} | members)).status_code == 201


async def test_each_queue_says_what_stands_in_it(world: World, http: httpx.AsyncClient) -> None:
    assert (await http.get("/queues")).content == b"[]"
    await create(http, queue="b")
    await world.claim()
    await create(http, queue="b")
    world.clock.advance(2.5)
    await create(http, queue="b")
    await create(http, queue="a", delay=60)
    await http.post("/keys/k/pause")
    await create(http, queue="c", key="k")
    answer = await http.get("/queues")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    b = {"queue": "b"} | EMPTY | {"pending": 2, "processing": 1, "oldest_pending_seconds": 2.5}
    assert answer.json() == [
        {"queue": "a"} | EMPTY | {"scheduled": 1},
        b,
        {"queue": "c"} | EMPTY | {"waiting": 1},
    ]
    assert (await http.get("/queues/b")).json() == b


async def test_a_queue_in_which_nothing_stands_is_one_all_the_same(http: httpx.AsyncClient) -> None:
    answer = await http.get("/queues/pause")
    assert (answer.status_code, answer.json()) == (200, {"queue": "pause"} | EMPTY)


async def test_manners(http: httpx.AsyncClient) -> None:
    is_problem(await http.get("/queues/a:b"), 422, "FM311")
    is_problem(await http.get("/queues?name=a"), 400, "FM401")
    is_problem(await http.get("/queues/a?name=a"), 400, "FM401")
