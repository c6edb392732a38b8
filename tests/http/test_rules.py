"""GET /rules, and pausing and limiting queues and types."""

from __future__ import annotations

import httpx
import pytest

from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio
FREE = {"paused": False, "concurrency": None, "rate": None, "burst": None}


async def test_at_first_there_are_none(http: httpx.AsyncClient) -> None:
    answer = await http.get("/rules")
    assert (answer.status_code, answer.json()) == (200, [])


async def test_a_paused_queue_gives_no_jobs(world: World, http: httpx.AsyncClient) -> None:
    await http.post("/jobs", json={"type": "echo", "queue": "mail"})
    paused = {"scope": "queue", "name": "mail"} | FREE | {"paused": True}
    answer = await http.post("/queues/mail/pause")
    assert (answer.status_code, answer.json()) == (200, paused)
    assert (await http.get("/rules")).json() == [paused]
    assert (await world.claim()) == []
    answer = await http.post("/queues/mail/resume", json={})
    assert answer.json() == {"scope": "queue", "name": "mail"} | FREE
    assert len(await world.claim()) == 1


async def test_a_type_is_limited(world: World, http: httpx.AsyncClient) -> None:
    for _ in range(3):
        await http.post("/jobs", json={"type": "echo"})
    answer = await http.put("/types/echo/limit", json={"concurrency": 2, "rate": 0.5, "burst": 7})
    limited = {"scope": "type", "name": "echo"} | FREE | {"concurrency": 2, "rate": 0.5, "burst": 7}
    assert (answer.status_code, answer.json()) == (200, limited)
    assert len(await world.claim()) == 2
    answer = await http.put("/types/echo/limit", json={"rate": "180/m"})
    assert answer.json() == limited | {"concurrency": None, "rate": 3.0, "burst": 1}
    answer = await http.delete("/types/echo/limit")
    assert answer.json() == {"scope": "type", "name": "echo"} | FREE
    assert len(await world.claim()) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"burst": 2}, ""),
        ({"concurrency": 0}, "/concurrency"),
        ({"concurrency": "2"}, "/concurrency"),
        ({"rate": -1}, "/rate"),
        ({"rate": "5/w"}, "/rate"),
        ({"rate": 1, "burst": 0}, "/burst"),
        ({"concurrency": 2, "burst": 3}, "/burst"),
        ({"concurency": 2}, "/concurency"),
    ],
)
async def test_what_is_no_limit_is_422(http: httpx.AsyncClient, body: dict[str, object], pointer: str) -> None:
    told = is_problem(await http.put("/queues/mail/limit", json=body), 422, "FM422")
    assert [error["pointer"] for error in told["errors"]] == [pointer]
    assert (await http.get("/rules")).json() == []


@pytest.mark.parametrize("path", ["/queues/a:b/pause", "/queues/a%20b/limit", "/types/a%20b/resume"])
async def test_what_is_no_name_is_422(http: httpx.AsyncClient, path: str) -> None:
    answer = await (http.delete(path) if path.endswith("limit") else http.post(path))
    is_problem(answer, 422, "FM311")


async def test_manners(http: httpx.AsyncClient) -> None:
    assert set((await http.get("/queues/mail/pause")).headers["allow"].split(", ")) == {"OPTIONS", "POST"}
    assert (await http.post("/queues/mail/limit")).status_code == 405
    is_problem(await http.get("/rules?limit=3"), 400, "FM401")
    is_problem(await http.post("/queues/mail/pause", json={"x": 1}), 422, "FM422")
    is_problem(await http.put("/queues/mail/limit", content=b"{}"), 415, "FM415")
