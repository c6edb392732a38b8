"""How many jobs an API key may enqueue in a day, over all processes."""

from __future__ import annotations

import json

import httpx
import pytest

from ferryman.domain.access import DAY
from ferryman.domain.errors import StoreFailed
from ferryman.domain.job import MICROS
from ferryman.http.quotas import PORTIONS
from tests.http.world import World, is_problem, talk

pytestmark = pytest.mark.anyio
ECHO = {"type": "echo"}
FULL = {"type": "echo", "payload": {"refuse": 1}}


async def taken(world: World) -> int:
    return (await world.client.access.taken()).get("web", 0)


async def enqueued(http: httpx.AsyncClient, key: dict[str, str], count: int = 1) -> int:
    """Enqueue one after the other; gives how many were taken."""
    answers = [await http.post("/jobs", json=ECHO, headers=key) for _ in range(count)]
    return [each.status_code for each in answers].count(201)


async def test_a_key_enqueues_its_quota_and_no_more(world: World, http: httpx.AsyncClient) -> None:
    key = await world.key("enqueue", quota=3)
    assert await enqueued(http, key, 3) == 3
    answer = await http.post("/jobs", json=ECHO, headers=key)
    told = is_problem(answer, 429, "FM611")
    assert "may not enqueue 1 more job today" in told["detail"]
    left = -(-(DAY - world.clock.now() % DAY) // MICROS)
    assert answer.headers["retry-after"] == str(left)
    assert answer.headers["ratelimit-policy"] == '"quota";q=3;w=86400'
    assert answer.headers["ratelimit"] == f'"quota";r=0;t={left}'
    world.clock.advance(left)
    assert await enqueued(http, key, 4) == 3


async def test_many_processes_have_one_quota(world: World) -> None:
    key = await world.key("enqueue", quota=200)
    for _ in range(3):  # each of them has portions of its own
        async with talk(world.over(world.client)) as http:
            assert await enqueued(http, key) == 1
    assert await taken(world) == 3 * 200 // PORTIONS
    async with talk(world.over(world.client)) as http:
        for count, status in ((195, 429), (194, 201), (1, 429)):
            batch = {"jobs": [ECHO] * count}
            assert (await http.post("/jobs/batch", json=batch, headers=key)).status_code == status
    assert await taken(world) == 200


async def test_jobs_are_counted_in_portions(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = world.store.take_quota

    async def take(name: str, quota: int, least: int, most: int, now: int) -> int:
        asked.append(most)
        return await real(name, quota, least, most, now)

    monkeypatch.setattr(world.store, "take_quota", take)
    key, other = await world.key("enqueue", quota=1000), await world.key("enqueue", name="other")
    assert await enqueued(http, key, 25) == 25
    assert asked == [10, 10, 10]
    assert await enqueued(http, other, 25) == 25
    assert len(asked) == 3, "who has no quota is not counted"


async def test_a_batch_is_taken_whole_or_not_at_all(world: World, http: httpx.AsyncClient) -> None:
    key = await world.key("enqueue", quota=5)
    for atomic in (True, False):
        batch = {"jobs": [ECHO] * 6, "atomic": atomic}
        told = is_problem(await http.post("/jobs/batch", json=batch, headers=key), 429, "FM611")
        assert "fewer at once" in told["hint"]
    assert await taken(world) == 0
    assert (await http.post("/jobs/batch", json={"jobs": [ECHO] * 5}, headers=key)).status_code == 201
    assert await enqueued(http, key) == 0


async def test_an_import_ends_where_the_quota_does_and_says_so(world: World, http: httpx.AsyncClient) -> None:
    key = await world.key("enqueue", quota=1500)
    headers = {**key, "content-type": "application/x-ndjson"}
    lines = "".join(json.dumps(ECHO) + "\n" for _ in range(2500))
    answer = await http.post("/jobs/import", content=lines, headers=headers)
    told = is_problem(answer, 429, "FM611")
    assert (told["imported"], told["next"], told["unsure"]) == (1000, 1001, 0)
    assert await enqueued(http, key, 500) == 500


async def test_what_was_refused_does_not_count(world: World, http: httpx.AsyncClient) -> None:
    key = await world.key("enqueue", quota=2)
    for body in (FULL, {"type": "unknown"}, {"type": "echo", "queue": " "}):
        assert (await http.post("/jobs", json=body, headers=key)).status_code == 422
    held = {**ECHO, "unique_key": "one"}
    assert (await http.post("/jobs", json=held, headers=key)).status_code == 201
    assert (await http.post("/jobs", json=held, headers=key)).status_code == 409
    batch = {"jobs": [held], "atomic": False}
    assert (await http.post("/jobs/batch", json=batch, headers=key)).json()["jobs"][0]["code"] == "FM312"
    assert await enqueued(http, key, 2) == 1


async def test_what_may_have_been_stored_counts(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await world.key("enqueue", quota=1)

    async def fail(*_: object, **__: object) -> None:
        raise StoreFailed("It is broken.")

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "insert", fail)
        assert (await http.post("/jobs", json=ECHO, headers=key)).status_code == 503
    assert await enqueued(http, key) == 0


async def test_keys_that_follow_one_another_share_it(world: World, http: httpx.AsyncClient) -> None:
    key = await world.key("enqueue", quota=3)
    assert await enqueued(http, key, 2) == 2
    issued = await world.client.access.rotate("web")
    world.clock.advance(1)
    assert await enqueued(http, {"Authorization": f"Bearer {issued.text.reveal()}"}, 3) == 1


async def test_the_list_of_keys_says_what_was_taken(world: World, http: httpx.AsyncClient) -> None:
    admin = await world.key("admin", name="root")
    asked = {"name": "web", "scopes": ["enqueue"], "quota": 7}
    made = (await http.post("/api-keys", json=asked, headers=admin)).json()
    assert (made["quota"], made["quota_taken"]) == (7, 0)
    world.clock.advance(1)
    await enqueued(http, {"Authorization": f"Bearer {made['key']}"}, 2)
    listed = (await http.get("/api-keys", headers=admin)).json()
    found = {each["name"]: (each["quota"], each["quota_taken"]) for each in listed}
    assert found == {"root": (None, None), "web": (7, 2)}


@pytest.mark.parametrize("quota", [0, -1, 1.5, "7/d", 10**10])
async def test_what_is_no_quota_is_refused(http: httpx.AsyncClient, quota: object) -> None:
    answer = await http.post("/api-keys", json={"name": "web", "scopes": ["enqueue"], "quota": quota})
    assert is_problem(answer, 422, "FM422")["errors"][0]["pointer"] == "/quota"
