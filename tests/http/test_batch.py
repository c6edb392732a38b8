"""POST /jobs/batch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.http import world as worlds
from tests.http.world import MAX_BODY, UNKNOWN, World, is_problem, talk

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}
OTHER = "01890a5d-ac96-774b-bcce-b302099a8058"


@pytest.fixture
async def wide(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """With room for a thousand jobs in a body."""
    monkeypatch.setattr(worlds, "MAX_BODY", 1 << 20)
    async with talk(world.over(world.client)) as client:
        yield client


def echoes(count: int, **options: Any) -> list[dict[str, Any]]:
    return [{"type": "echo", "payload": {"n": n}, **options} for n in range(count)]


async def send(http: httpx.AsyncClient, jobs: object, query: str = "", **members: object) -> httpx.Response:
    return await http.post(f"/jobs/batch{query}", json={"jobs": jobs, **members})


async def stored(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get("/jobs?limit=10000")).json()
    return found


def count_inserts(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many jobs each insert has, from now on."""
    sizes: list[int] = []
    insert = world.store.insert

    async def counted(jobs: Any, *rest: Any, **options: Any) -> Any:
        sizes.append(len(jobs))
        return await insert(jobs, *rest, **options)

    monkeypatch.setattr(world.store, "insert", counted)
    return sizes


# -- all or none -------------------------------------------------------------------------------------


async def test_all_are_stored_in_one_commit_and_told_in_order(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = count_inserts(world, monkeypatch)
    answer = await send(http, echoes(5))
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    assert set(answer.json()) == {"ids"}
    told = [(await http.get(f"/jobs/{id}")).json()["payload"] for id in answer.json()["ids"]]
    assert told == [{"n": n} for n in range(5)]
    assert sizes == [5]


async def test_every_member_of_a_job_is_taken(http: httpx.AsyncClient) -> None:
    wanted = {"queue": "mail", "priority": 0, "max_attempts": 3, "tags": ["a"]}
    answer = await send(http, [{"type": "echo", "delay": 30, **wanted}], atomic=True)
    job = (await http.get(f"/jobs/{answer.json()['ids'][0]}")).json()
    assert {name: job[name] for name in wanted} == wanted
    assert job["status"] == "scheduled"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"type": "echo", "priority": 99}, "/priority"),
        ({"type": "echo", "a/b": 1}, "/a~1b"),
        ({"payload": {}}, "/type"),
        ({"type": None}, "/type"),
        ({"type": "ehco"}, "/type"),
        ({"type": "echo", "payload": {"refuse": 1}}, "/payload"),
        ({"type": "echo", "delay": 1, "run_at": "2030-01-01T00:00:00Z"}, ""),
        ({"type": "echo", "id": "x"}, "/id"),
        ({"type": "echo", "unique_key": "k"}, "/unique_key"),
        ([], ""),
        (None, ""),
        ("echo", ""),
    ],
)
async def test_one_wrong_job_has_none_stored(http: httpx.AsyncClient, wrong: object, pointer: str) -> None:
    document = is_problem(await send(http, [*echoes(3), wrong, *echoes(2)]), 422, "FM422")
    assert [each["pointer"] for each in document["errors"]] == [f"/jobs/3{pointer}"]
    assert document["errors"][0]["message"]
    assert "1 of the 6 jobs" in document["detail"]
    assert "/jobs/3" in document["detail"]
    assert await stored(http) == []


async def test_all_that_is_wrong_is_told_at_once_and_in_order(http: httpx.AsyncClient) -> None:
    jobs = [{"type": "ehco"}, {"type": "echo", "priority": -1, "quue": "x"}, *echoes(1), {}]
    document = is_problem(await send(http, jobs), 422, "FM422")
    pointers = [each["pointer"] for each in document["errors"]]
    assert pointers == ["/jobs/0/type", "/jobs/1/priority", "/jobs/1/quue", "/jobs/3/type"]
    assert "Did you mean echo?" in document["errors"][0]["message"]
    assert "3 of the 4 jobs" in document["detail"]


async def test_a_full_queue_has_none_stored(http: httpx.AsyncClient) -> None:
    world = World(max_pending=5)
    async with talk(world.api) as http:
        assert (await send(http, echoes(3))).status_code == 201
        answer = await send(http, [*echoes(1, queue="mail"), *echoes(3)])
        document = is_problem(answer, 429, "FM314")
        assert "default" in document["detail"]
        assert int(answer.headers["retry-after"]) >= 1
        assert len(await stored(http)) == 3
        assert (await send(http, [*echoes(5, queue="mail"), *echoes(2)])).status_code == 201


async def test_what_comes_between_the_look_and_the_commit_breaks_no_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(max_pending=5)
    async with talk(world.api) as http:
        counts = world.store.counts

        async def counted(now: int) -> Any:
            found = await counts(now)
            await http.post("/jobs", json={"type": "echo"})
            return found

        monkeypatch.setattr(world.store, "counts", counted)
        assert (await send(http, echoes(5))).status_code == 201
        monkeypatch.undo()
        assert len(await stored(http)) == 6


async def test_a_unique_key_that_is_taken_is_answered_with_its_holder(http: httpx.AsyncClient) -> None:
    holder = (await http.post("/jobs", json={"type": "echo", "unique_key": "k"})).json()["id"]
    jobs = [{"type": "echo", "unique_key": key, "on_conflict": "return"} for key in ("a", "k", "a")]
    answer = await send(http, jobs)
    first, second, third = answer.json()["ids"]
    assert (answer.status_code, second, third) == (201, holder, first)
    assert len(await stored(http)) == 2
    by_query = await send(http, [{"type": "echo", "unique_key": "k"}], "?on_conflict=return")
    assert (by_query.status_code, by_query.json()) == (201, {"ids": [holder]})


# -- each for itself ---------------------------------------------------------------------------------


async def test_each_job_is_told_its_own_answer(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = (await http.post("/jobs", json={"type": "echo", "unique_key": "k"})).json()["id"]
    sizes = count_inserts(world, monkeypatch)
    jobs = [
        {"type": "echo", "priority": 99},
        {"type": "echo", "payload": {"n": 1}},
        {"type": "ehco"},
        {"type": "echo", "unique_key": "k"},
        {"type": "echo", "payload": {"n": 4}},
        7,
    ]
    answer = await send(http, jobs, atomic=False)
    assert answer.status_code == 200
    told = answer.json()["jobs"]
    assert [each.get("code") for each in told] == ["FM422", None, "FM310", "FM312", None, "FM422"]
    assert [each.get("status") for each in told] == [422, None, 422, 409, None, 422]
    assert [[error["pointer"] for error in each.get("errors", ())] for each in told] == [
        ["/jobs/0/priority"],
        [],
        ["/jobs/2/type"],
        [],
        [],
        ["/jobs/5"],
    ]
    assert told[3]["holder"] == holder
    assert told[0]["title"] and told[0]["detail"]
    for place in (1, 4):
        assert set(told[place]) == {"id"}
        assert (await http.get(f"/jobs/{told[place]['id']}")).json()["payload"] == {"n": place}
    assert len(await stored(http)) == 3
    assert sizes == [3]


async def test_of_a_full_queue_each_is_told_when_to_come_again() -> None:
    world = World(max_pending=2)
    async with talk(world.api) as http:
        told = (await send(http, [*echoes(3), *echoes(1, queue="mail")], atomic=False)).json()["jobs"]
        assert [each.get("code") for each in told] == [None, None, "FM314", None]
        assert told[2]["retry_after"] >= 1
        assert len(await stored(http)) == 3


async def test_where_all_are_wrong_nothing_goes_to_the_store(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = count_inserts(world, monkeypatch)
    assert [each["code"] for each in (await send(http, [{}, {"type": "x"}], atomic=False)).json()["jobs"]] == [
        "FM422",
        "FM310",
    ]
    assert sizes == []


async def test_the_store_is_asked_once_about_many_unknown_types(
    world: World, wide: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[None] = []
    known_types = world.store.known_types

    async def counted() -> Any:
        asked.append(None)
        return await known_types()

    monkeypatch.setattr(world.store, "known_types", counted)
    is_problem(await send(wide, [{"type": f"unknown-{n}"} for n in range(1000)]), 422, "FM422")
    assert len(asked) == 1


# -- the batch itself --------------------------------------------------------------------------------


async def test_a_thousand_are_taken_and_no_more(wide: httpx.AsyncClient) -> None:
    document = is_problem(await send(wide, echoes(1001)), 422, "FM422")
    assert [each["pointer"] for each in document["errors"]] == ["/jobs"]
    assert "1001" in document["errors"][0]["message"]
    assert await stored(wide) == []
    assert len((await send(wide, echoes(1000))).json()["ids"]) == 1000


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"jobs": []}, "/jobs"),
        ({"jobs": {"type": "echo"}}, "/jobs"),
        ({"jobs": None}, "/jobs"),
        ({}, "/jobs"),
        ({"jobs": [{"type": "echo"}], "atomic": "no"}, "/atomic"),
        ({"jobs": [{"type": "echo"}], "atmic": False}, "/atmic"),
        ([{"type": "echo"}], ""),
    ],
)
async def test_a_wrong_batch_is_422(http: httpx.AsyncClient, body: object, pointer: str) -> None:
    document = is_problem(await http.post("/jobs/batch", json=body), 422, "FM422")
    assert [each["pointer"] for each in document["errors"]] == [pointer]
    assert await stored(http) == []


async def test_it_is_read_as_strictly_as_one_job(http: httpx.AsyncClient) -> None:
    twice = b'{"jobs": [{"type": "echo"}, {"type": "echo", "type": "echo"}], "atomic": false}'
    is_problem(await http.post("/jobs/batch", content=twice, headers=JSON), 400, "FM308")
    is_problem(await http.post("/jobs/batch", content=b'{"jobs": [', headers=JSON), 400, "FM400")
    is_problem(await http.post("/jobs/batch", content=b"{}", headers={"content-type": "text/plain"}), 415, "FM415")
    is_problem(await send(http, echoes(1), "?priority=1"), 400, "FM401")
    long = json.dumps({"jobs": echoes(1, unique_key="x" * MAX_BODY)}).encode()
    is_problem(await http.post("/jobs/batch", content=long, headers=JSON), 413, "FM413")
    assert await stored(http) == []


# -- said twice --------------------------------------------------------------------------------------


async def test_an_idempotency_key_is_refused_with_what_to_do_instead(http: httpx.AsyncClient) -> None:
    answer = await http.post("/jobs/batch", json={"jobs": echoes(1)}, headers={"idempotency-key": "k"})
    document = is_problem(answer, 400, "FM401")
    assert "id of its own" in document["hint"]
    assert await stored(http) == []


@pytest.mark.parametrize("atomic", [True, False])
async def test_jobs_with_ids_can_be_sent_twice(http: httpx.AsyncClient, atomic: bool) -> None:
    jobs = [{"type": "echo", "id": UNKNOWN}, {"type": "echo", "id": OTHER}]
    first = await send(http, jobs, atomic=atomic)
    again = await send(http, [*jobs, *echoes(1)], atomic=atomic)
    assert (first.status_code, again.status_code) == (201, 201) if atomic else (200, 200)
    ids = again.json()["ids"] if atomic else [each["id"] for each in again.json()["jobs"]]
    assert ids[:2] == [UNKNOWN, OTHER]
    assert [each["id"] for each in await stored(http)] == sorted(ids)


async def test_two_jobs_of_a_batch_cannot_have_one_id(http: httpx.AsyncClient) -> None:
    jobs = [{"type": "echo", "id": UNKNOWN}, *echoes(1), {"type": "echo", "id": UNKNOWN}]
    document = is_problem(await send(http, jobs), 422, "FM422")
    assert [each["pointer"] for each in document["errors"]] == ["/jobs/2/id"]
    assert "/jobs/0" in document["errors"][0]["message"]
    assert await stored(http) == []


@pytest.mark.parametrize(
    "id",
    [
        5,
        "",
        UNKNOWN.upper(),
        "01890a5d-ac96-474b-bcce-b302099a8057",
        "01890a5d-ac96-774b-0cce-b302099a8057",
        UNKNOWN.replace("-", ""),
    ],
)
async def test_an_id_is_a_uuid_of_version_7(http: httpx.AsyncClient, id: object) -> None:
    document = is_problem(await send(http, [{"type": "echo", "id": id}]), 422, "FM422")
    assert [each["pointer"] for each in document["errors"]] == ["/jobs/0/id"]
