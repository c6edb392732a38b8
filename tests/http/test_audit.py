"""GET /audit, and what every path that changes something leaves there."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ferryman.domain.access import Right
from ferryman.domain.limits import Scope
from ferryman.domain.outcome import Outcome, What
from ferryman.http.changing import JobChanges
from ferryman.http.keys import Keys
from ferryman.http.rules import Rules
from ferryman.http.schedules import SchedulePaths
from tests.http.world import World, is_problem, talk

pytestmark = pytest.mark.anyio

SCHEDULE = {"cron": "0 3 * * *", "type": "echo", "payload": {"text": "secret"}}
CHANGES: dict[tuple[str, str], tuple[str, dict[str, Any] | None, str]] = {
    ("POST", "/jobs/{id}/cancel"): ("/jobs/{waiting}/cancel", None, "job.cancel"),
    ("POST", "/jobs/{id}/retry"): ("/jobs/{failed}/retry", None, "job.retry"),
    ("DELETE", "/jobs/{id}"): ("/jobs/{failed}", None, "job.delete"),
    ("PATCH", "/jobs/{id}"): ("/jobs/{waiting}", {"priority": 1}, "job.place"),
    ("POST", "/jobs/retry"): ("/jobs/retry", {"filter": {"type": "echo"}}, "job.retry"),
    ("POST", "/jobs/purge"): ("/jobs/purge", {"filter": {"queue": "default"}, "confirm": "default"}, "job.purge"),
    ("POST", "/queues/{name}/pause"): ("/queues/a/pause", None, "queue.pause"),
    ("POST", "/queues/{name}/resume"): ("/queues/p/resume", None, "queue.resume"),
    ("PUT", "/queues/{name}/limit"): ("/queues/a/limit", {"concurrency": 2}, "queue.limit"),
    ("DELETE", "/queues/{name}/limit"): ("/queues/p/limit", None, "queue.limit"),
    ("POST", "/types/{name}/pause"): ("/types/a/pause", None, "type.pause"),
    ("POST", "/types/{name}/resume"): ("/types/p/resume", None, "type.resume"),
    ("PUT", "/types/{name}/limit"): ("/types/a/limit", {"concurrency": 2}, "type.limit"),
    ("DELETE", "/types/{name}/limit"): ("/types/p/limit", None, "type.limit"),
    ("PUT", "/keys/{key:path}"): ("/keys/a", {"concurrency": 2}, "key.set"),
    ("DELETE", "/keys/{key:path}"): ("/keys/p", None, "key.unset"),
    ("POST", "/keys/{key:path}/pause"): ("/keys/a/pause", None, "key.pause"),
    ("POST", "/keys/{key:path}/resume"): ("/keys/p/resume", None, "key.resume"),
    ("POST", "/keys/{key:path}/pass"): ("/keys/s/pass", None, "key.pass"),
    ("PUT", "/schedules/{name}"): ("/schedules/a", SCHEDULE, "schedule.put"),
    ("DELETE", "/schedules/{name}"): ("/schedules/s", None, "schedule.drop"),
    ("POST", "/schedules/{name}/pause"): ("/schedules/s/pause", None, "schedule.pause"),
    ("POST", "/schedules/{name}/resume"): ("/schedules/p/resume", None, "schedule.resume"),
    ("POST", "/schedules/{name}/run"): ("/schedules/s/run", None, "schedule.run"),
}
"""Of every operation: a request that changes something, and its deed."""


async def full(world: World, http: httpx.AsyncClient) -> dict[str, str]:
    """A world with something of everything. Gives the ids of its jobs, and leaves no deed."""
    await http.put("/keys/s", json={"sequence": True})
    failed = (await http.post("/jobs", json={"type": "echo", "max_attempts": 1, "key": "s"})).json()["id"]
    await world.finish(Outcome(What.FAILED))
    waiting = (await http.post("/jobs", json={"type": "echo"})).json()["id"]
    for scope in Scope:
        await http.put(f"/{scope}s/p/limit", json={"concurrency": 1})
        await http.post(f"/{scope}s/p/pause")
    await http.put("/keys/p", json={})
    await http.post("/keys/p/pause")
    for name in ("s", "p"):
        await http.put(f"/schedules/{name}", json=SCHEDULE)
    await http.post("/schedules/p/pause")
    world.store._tables.audit.clear()
    return {"failed": failed, "waiting": waiting}


@pytest.mark.parametrize("operation", CHANGES, ids=" ".join)
async def test_a_change_is_in_the_log_as_done_over_http(
    world: World, http: httpx.AsyncClient, operation: tuple[str, str]
) -> None:
    ids = await full(world, http)
    path, body, action = CHANGES[operation]
    answer = await http.request(operation[0], path.format(**ids), json=body)
    assert answer.is_success, answer.text
    [deed] = (await http.get("/audit")).json()
    assert (deed["actor"], deed["action"]) == ("http", action)
    assert deed["at"].endswith("Z") and isinstance(deed["detail"], dict)
    assert "secret" not in str(deed)


def test_every_operation_by_which_something_is_changed_is_tested(world: World) -> None:
    groups = (
        JobChanges(world.client, 1),
        Rules(world.client, 1),
        SchedulePaths(world.client, 1),
        Keys(world.client, 1),
    )
    found = {(each.method, each.path) for group in groups for each in group.operations() if each.right is Right.OPERATE}
    assert found == set(CHANGES)


async def pauses(http: httpx.AsyncClient, *names: str) -> None:
    for name in names:
        assert (await http.post(f"/queues/{name}/pause")).status_code == 200


async def test_a_deed_has_every_member(http: httpx.AsyncClient) -> None:
    assert (await http.get("/audit")).json() == []
    await http.put("/queues/mail/limit", json={"rate": "5/s", "burst": 2})
    [deed] = (await http.get("/audit")).json()
    assert deed == {
        "number": 1,
        "at": "2026-01-01T00:00:00.000000Z",
        "actor": "http",
        "action": "queue.limit",
        "target": "mail",
        "detail": {"rate": 5.0, "burst": 2},
    }


async def test_pages_lead_to_each_other_and_keep_the_filter(http: httpx.AsyncClient) -> None:
    await pauses(http, "a", "b", "c", "d")
    await http.post("/types/x/pause")
    found: list[str] = []
    url: str | None = "/audit?action=queue.pause&limit=3"
    while url is not None:
        answer = await http.get(url)
        found.append("".join(deed["target"] for deed in answer.json()))
        url = answer.links["next"]["url"] if "next" in answer.links else None
    assert found == ["dcb", "a"]
    assert [deed["target"] for deed in (await http.get("/audit?target=b&actor=http")).json()] == ["b"]
    assert (await http.get("/audit?actor=cli:anna@host")).json() == []


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("action=job.cancle", "job.cancel"),
        ("cursor=x", "cursor"),
        ("cursor=0", "cursor"),
        ("cursor=1111111111111111111", "cursor"),
        ("limit=0", "limit"),
        ("actor=a&actor=b", "2 times"),
        ("who=a", "actor"),
        ("target=", "target"),
    ],
)
async def test_a_parameter_that_is_wrong_is_refused(http: httpx.AsyncClient, query: str, hint: str) -> None:
    assert hint in str(is_problem(await http.get(f"/audit?{query}"), 400, "FM401"))


async def test_nothing_changes_a_deed(http: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await http.request(method, "/audit")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_what_an_api_key_does_is_its_deed(world: World) -> None:
    issued = await world.client.access.add("deploy", ["admin"])
    async with talk(world.api) as http:
        http.headers["Authorization"] = f"Bearer {issued.text.reveal()}"
        assert (await http.post("/queues/mail/pause")).status_code == 200
        assert (await http.post("/api-keys", json={"name": "web", "scopes": ["read"]})).status_code == 201
        told = (await http.get("/audit")).json()
    assert [(each["actor"], each["action"], each["target"], each["detail"]) for each in told] == [
        ("api-key:deploy", "api-key.add", "web", {"scopes": ["read"]}),
        ("api-key:deploy", "queue.pause", "mail", {}),
        ("python", "api-key.add", "deploy", {"scopes": ["admin"]}),
    ]
    assert issued.key.digest not in str(told)
