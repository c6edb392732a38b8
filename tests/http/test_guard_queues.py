"""Keys that are limited to queues."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.http.world import UNKNOWN, World, is_problem, operations, talk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def limited(world: World) -> dict[str, str]:
    """The key of somebody who is limited to the queue mail."""
    return await world.key("enqueue", "operate", queues=["mail"])


@pytest.fixture
async def everything(world: World) -> dict[str, str]:
    """The key of somebody who is not."""
    return await world.key("admin", name="admin")


async def made(http: httpx.AsyncClient, key: dict[str, str], **body: Any) -> str:
    """A new job's id."""
    answer = await http.post("/jobs", json={"type": "echo", **body}, headers=key)
    assert answer.status_code == 201, answer.text
    id: str = answer.json()["id"]
    return id


async def test_a_limited_key_enqueues_into_its_queues_alone(http: httpx.AsyncClient, limited: dict[str, str]) -> None:
    await made(http, limited, queue="mail")
    other = await http.post("/jobs", json={"type": "echo", "queue": "letters"}, headers=limited)
    assert is_problem(other, 403, "FM604")["errors"][0]["pointer"] == "/queue"
    unsaid = await http.post("/jobs", json={"type": "echo"}, headers=limited)
    assert "default" in is_problem(unsaid, 403, "FM604")["detail"], "the queue of its type"


async def test_a_limited_key_hands_in_batches_for_its_queues_alone(
    world: World, http: httpx.AsyncClient, limited: dict[str, str]
) -> None:
    jobs = [{"type": "echo", "queue": "mail"}, {"type": "echo"}]
    all_or_none = await http.post("/jobs/batch", json={"jobs": jobs}, headers=limited)
    assert "/jobs/1" in is_problem(all_or_none, 403, "FM604")["detail"]
    each = await http.post("/jobs/batch", json={"jobs": jobs, "atomic": False}, headers=limited)
    [stored, refused] = each.json()["jobs"]
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("FM604", "/jobs/1/queue")
    listed = (await http.get("/jobs", headers=limited)).json()
    assert [job["id"] for job in listed] == [stored["id"]]


async def test_a_limited_key_imports_into_its_queues_alone(http: httpx.AsyncClient, limited: dict[str, str]) -> None:
    lines = b'{"type":"echo","queue":"mail"}\n{"type":"echo"}\n'
    headers = {**limited, "Content-Type": "application/x-ndjson"}
    answer = await http.post("/jobs/import", content=lines, headers=headers)
    told = is_problem(answer, 403, "FM604")
    assert (told["imported"], told["line"]) == (1, 2)


async def test_a_limited_key_sees_its_queues_alone(
    http: httpx.AsyncClient, limited: dict[str, str], everything: dict[str, str]
) -> None:
    own = await made(http, everything, queue="mail")
    await made(http, everything)
    for query in ("", "?queue=mail", "?filter=type:e*", "?filter=-queue:default", "?filter=queue:mail"):
        listed = await http.get(f"/jobs{query}", headers=limited)
        assert [job["id"] for job in listed.json()] == [own]
    assert (await http.get("/jobs?filter=-queue:mail", headers=limited)).json() == []
    for query in ("?queue=default", "?queue=mail&queue=default", "?filter=queue:default", "?filter=queue:mail,default"):
        is_problem(await http.get(f"/jobs{query}", headers=limited), 403, "FM604")
    queues = await http.get("/queues", headers=limited)
    assert [each["queue"] for each in queues.json()] == ["mail"]
    assert (await http.get("/queues/mail", headers=limited)).json()["pending"] == 1
    is_problem(await http.get("/queues/default", headers=limited), 403, "FM604")


ONE_JOB = [
    ("GET", ""),
    ("GET", "/attempts"),
    ("GET", "/logs"),
    ("GET", "/progress"),
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "/cancel"),
    ("POST", "/retry"),
]


@pytest.mark.parametrize(("method", "below"), ONE_JOB)
async def test_a_job_of_another_queue_is_as_if_it_were_not_there(
    world: World, http: httpx.AsyncClient, limited: dict[str, str], everything: dict[str, str], method: str, below: str
) -> None:
    own, other = await made(http, everything, queue="mail"), await made(http, everything)
    if below == "/retry" or method == "DELETE":
        for id in (own, other):
            await http.post(f"/jobs/{id}/cancel", headers=everything)
    body: dict[str, Any] = {"json": {"priority": 1}} if method == "PATCH" else {}

    async def told(id: str) -> Any:
        answer = await http.request(method, f"/jobs/{id}{below}", headers=limited, **body)
        return is_problem(answer, 404, "FM404") if answer.status_code == 404 else answer.status_code

    before = await world.client.get(other)
    assert await told(own) == (204 if method == "DELETE" else 200)
    assert json.dumps(await told(other)).replace(other, UNKNOWN) == json.dumps(await told(UNKNOWN))
    assert await world.client.get(other) == before


async def test_a_limited_key_moves_no_job_out_of_its_queues(
    http: httpx.AsyncClient, limited: dict[str, str], everything: dict[str, str]
) -> None:
    own = await made(http, everything, queue="mail")
    is_problem(await http.patch(f"/jobs/{own}", json={"queue": "letters"}, headers=limited), 403, "FM604")
    assert (await http.patch(f"/jobs/{own}", json={"queue": "mail"}, headers=limited)).status_code == 200


async def test_a_limited_key_rules_over_its_queues_alone(http: httpx.AsyncClient, limited: dict[str, str]) -> None:
    for method, below, body in (
        ("POST", "pause", None),
        ("POST", "resume", None),
        ("PUT", "limit", {"concurrency": 1}),
        ("DELETE", "limit", None),
    ):
        own = await http.request(method, f"/queues/mail/{below}", headers=limited, json=body or {})
        assert own.status_code == 200, own.text
        other = await http.request(method, f"/queues/default/{below}", headers=limited, json=body or {})
        is_problem(other, 403, "FM604")


async def test_a_job_of_another_queue_that_has_the_unique_key_is_not_shown(
    http: httpx.AsyncClient, limited: dict[str, str], everything: dict[str, str]
) -> None:
    await made(http, everything, unique_key="k", payload={"secret": 1})
    body = {"type": "echo", "queue": "mail", "unique_key": "k", "on_conflict": "return"}
    answer = await http.post("/jobs", json=body, headers=limited)
    is_problem(answer, 403, "FM604")
    assert "secret" not in answer.text


async def test_an_idempotency_key_names_one_request_whoever_sends_it(
    http: httpx.AsyncClient, limited: dict[str, str], everything: dict[str, str]
) -> None:
    body = {"type": "echo", "queue": "mail"}
    answers = [
        await http.post("/jobs", json=body, headers={**key, "Idempotency-Key": "order-1"})
        for key in (limited, everything)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]


BY_QUEUE = {
    "POST /jobs",
    "POST /jobs/batch",
    "POST /jobs/import",
    "GET /jobs",
    "GET /jobs/{id}",
    "PATCH /jobs/{id}",
    "DELETE /jobs/{id}",
    "GET /jobs/{id}/attempts",
    "GET /counts",
    "GET /events",
    "GET /live",
    "GET /jobs/{id}/events",
    "GET /jobs/{id}/logs",
    "GET /jobs/{id}/progress",
    "POST /jobs/{id}/cancel",
    "POST /jobs/{id}/retry",
    "GET /operations",
    "POST /operations",
    "GET /operations/{id}",
    "POST /operations/{id}/cancel",
    "GET /queues",
    "GET /queues/{name}",
    "GET /stats",
    "GET /errors",
    "GET /errors/{group}",
    "POST /queues/{name}/pause",
    "POST /queues/{name}/resume",
    "PUT /queues/{name}/limit",
    "DELETE /queues/{name}/limit",
}


async def test_what_does_not_look_at_queues_is_not_for_limited_keys(world: World) -> None:
    found = operations(world)
    assert {f"{each.method} {each.path}" for each in found if each.by_queue} == BY_QUEUE
    key = await world.key("admin", queues=["mail"])
    async with talk(world.api) as http:
        for operation in found:
            if operation.right is not None and not operation.by_queue:
                path = operation.path.replace("{id}", UNKNOWN).replace("{name}", "x").replace("{key:path}", "x")
                is_problem(await http.request(operation.method, path, headers=key), 403, "FM604")
