"""/operations: changes of every job that a filter means."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ferryman.domain.events import Events
from ferryman.engine.operating import Operate
from tests.http.world import UNKNOWN, Wakes, World, is_problem

pytestmark = pytest.mark.anyio
AT = "2026-01-01T00:00:00.000000Z"


async def make(http: httpx.AsyncClient, **job: Any) -> str:
    answer = await http.post("/jobs", json={"type": "echo", **job})
    assert answer.status_code == 201
    id: str = answer.json()["id"]
    return id


async def start(http: httpx.AsyncClient, action: str = "cancel", filter: str = "type:*", **more: Any) -> dict[str, Any]:
    body = {"action": action, "filter": filter, **{name: value for name, value in more.items() if name != "headers"}}
    answer = await http.post("/operations", json=body, headers=more.get("headers"))
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/operations/{told['id']}"
    return told


async def carry_out(world: World) -> None:
    """What a node does."""
    operate = Operate(world.store, world.clock, Wakes(), Events(world.metrics.listen))
    while await world.store.running_operations(1):
        await operate.step()


async def test_an_operation_is_started_and_carried_out(world: World, http: httpx.AsyncClient) -> None:
    ids = [await make(http) for _ in range(2)]
    started = await start(http)
    assert started == {
        "id": started["id"],
        "action": "cancel",
        "status": "running",
        "filter": "type:*",
        "queues": None,
        "change": None,
        "rate": None,
        "examined": 0,
        "changed": 0,
        "skipped": 0,
        "by": "http",
        "created_at": AT,
        "finished_at": None,
        "error": None,
    }
    await carry_out(world)
    answer = await http.get(f"/operations/{started['id']}")
    done = {"status": "completed", "examined": 2, "changed": 2, "finished_at": AT}
    assert (answer.status_code, answer.json()) == (200, started | done)
    assert [(await http.get(f"/jobs/{id}")).json()["status"] for id in ids] == ["cancelled"] * 2
    again = await start(http, "retry", "status:cancelled", rate="30/m")
    assert again["rate"] == 0.5
    await carry_out(world)
    assert [(await http.get(f"/jobs/{id}")).json()["status"] for id in ids] == ["pending", "scheduled"]


async def test_jobs_are_changed(world: World, http: httpx.AsyncClient) -> None:
    id = await make(http)
    started = await start(http, "change", change={"queue": "slow", "priority": 9, "delay": 60})
    assert started["change"] == {"queue": "slow", "priority": 9, "run_at": "2026-01-01T00:01:00.000000Z"}
    await carry_out(world)
    job = (await http.get(f"/jobs/{id}")).json()
    assert (job["queue"], job["priority"], job["status"]) == ("slow", 9, "scheduled")


async def test_a_dry_run_counts_and_changes_nothing(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        await make(http)
    answer = await http.post("/operations", json={"action": "cancel", "filter": "type:echo", "dry_run": True})
    assert (answer.status_code, answer.json()) == (200, {"count": 2, "complete": True, "dry_run": True})
    assert (await http.get("/operations")).json() == []


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/action", "/filter"]),
        ({"action": None, "filter": None}, ["/action", "/filter"]),
        ({"action": "shred", "filter": "type:*"}, ["/action"]),
        ({"action": "shred", "filter": "sta:tus", "change": {}}, ["/action", "/filter"]),
        ({"action": "cancel", "filter": "sta:tus"}, ["/filter"]),
        ({"action": "cancel", "filter": ""}, ["/filter"]),
        ({"action": "cancel", "filter": {"type": "echo"}}, ["/filter"]),
        ({"action": "cancel", "filter": "status:failed"}, ["/filter"]),
        ({"action": "retry", "filter": "status:completed"}, ["/filter"]),
        ({"action": "cancel", "filter": "type:*", "rate": 5}, ["/rate"]),
        ({"action": "retry", "filter": "type:*", "rate": "soon"}, ["/rate"]),
        ({"action": "cancel", "filter": "type:*", "change": {"priority": 1}}, ["/change"]),
        ({"action": "change", "filter": "type:*"}, ["/change"]),
        ({"action": "change", "filter": "type:*", "change": {}}, ["/change"]),
        ({"action": "change", "filter": "type:*", "change": 5}, ["/change"]),
        ({"action": "change", "filter": "type:*", "change": {"priority": 11}}, ["/change/priority"]),
        ({"action": "change", "filter": "type:*", "change": {"run_at": AT, "delay": 1}}, ["/change/delay"]),
        ({"action": "cancel", "filter": "type:*", "dry_run": 1, "force": True}, ["/dry_run", "/force"]),
    ],
)
async def test_a_body_that_is_wrong_is_refused(
    http: httpx.AsyncClient, body: dict[str, Any], pointers: list[str]
) -> None:
    told = is_problem(await http.post("/operations", json=body), 422, "FM422")
    assert sorted(error["pointer"] for error in told["errors"]) == pointers
    assert (await http.get("/operations")).json() == []


async def test_they_are_listed_the_newest_first(http: httpx.AsyncClient) -> None:
    told = [await start(http) for _ in range(3)]
    first = await http.get("/operations?limit=2")
    assert first.json() == [told[2], told[1]]
    assert first.links["next"]["url"].startswith("/operations?")
    second = await http.get(first.links["next"]["url"])
    assert (second.json(), "link" in second.headers) == ([told[0]], False)
    for query in ("?limit=0", "?cursor=x", "?status=running"):
        is_problem(await http.get(f"/operations{query}"), 400, "FM401")


async def test_an_operation_has_a_version(world: World, http: httpx.AsyncClient) -> None:
    await make(http)
    path = f"/operations/{(await start(http))['id']}"
    tag = (await http.get(path)).headers["etag"]
    same = await http.get(path, headers={"If-None-Match": tag})
    assert (same.status_code, same.headers["etag"]) == (304, tag)
    await carry_out(world)
    other = await http.get(path, headers={"If-None-Match": tag})
    assert (other.status_code, other.headers["etag"] != tag) == (200, True)


async def test_an_operation_is_stopped(http: httpx.AsyncClient) -> None:
    started = await start(http)
    answer = await http.post(f"/operations/{started['id']}/cancel")
    stopped = started | {"status": "cancelled", "finished_at": AT}
    assert (answer.status_code, answer.json()) == (200, stopped)
    is_problem(await http.post(f"/operations/{started['id']}/cancel"), 409, "FM409")


@pytest.mark.parametrize("id", [UNKNOWN, "x"])
async def test_one_that_is_not_there_is_404(http: httpx.AsyncClient, id: str) -> None:
    is_problem(await http.get(f"/operations/{id}"), 404, "FM424")
    is_problem(await http.post(f"/operations/{id}/cancel"), 404, "FM424")


async def test_a_limited_key_changes_jobs_in_its_queues_alone(world: World, http: httpx.AsyncClient) -> None:
    everything = await world.key("admin", name="admin")
    limited = await world.key("operate", queues=["mail"], name="mailer")
    for queue in ("mail", "default"):
        await http.post("/jobs", json={"type": "echo", "queue": queue}, headers=everything)
    body = {"action": "cancel", "filter": "type:*"}
    dry = await http.post("/operations", json={**body, "dry_run": True}, headers=limited)
    assert dry.json()["count"] == 1
    started = await start(http, headers=limited)
    assert (started["queues"], started["by"]) == (["mail"], "api-key:mailer")
    await carry_out(world)
    jobs = (await http.get("/jobs", headers=everything)).json()
    assert [(job["queue"], job["status"]) for job in jobs] == [("mail", "cancelled"), ("default", "pending")]
    named = await http.post("/operations", json={**body, "filter": "queue:default"}, headers=limited)
    is_problem(named, 403, "FM604")
    moved = {"action": "change", "filter": "type:*", "change": {"queue": "default"}}
    is_problem(await http.post("/operations", json=moved, headers=limited), 403, "FM604")


async def test_a_limited_key_sees_operations_on_its_queues_alone(world: World, http: httpx.AsyncClient) -> None:
    everything = await world.key("admin", name="admin")
    wide = await world.key("operate", queues=["mail", "letters"], name="wide")
    limited = await world.key("operate", queues=["mail"], name="mailer")
    hidden = [(await start(http, headers=key))["id"] for key in (everything, wide)]
    own = (await start(http, headers=limited))["id"]
    assert [each["id"] for each in (await http.get("/operations", headers=limited)).json()] == [own]
    assert [each["id"] for each in (await http.get("/operations", headers=wide)).json()] == [own, hidden[1]]
    for id in hidden:
        is_problem(await http.get(f"/operations/{id}", headers=limited), 404, "FM424")
        is_problem(await http.post(f"/operations/{id}/cancel", headers=limited), 404, "FM424")
    assert (await http.post(f"/operations/{own}/cancel", headers=limited)).status_code == 200
