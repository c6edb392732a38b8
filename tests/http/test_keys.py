"""/keys, and the key of a POST /jobs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ferryman.domain.outcome import Outcome, What
from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio
FREE: dict[str, Any] = {
    "key": "k",
    "concurrency": None,
    "rate": None,
    "burst": None,
    "share": None,
    "sequence": False,
    "on_failure": None,
    "pinned": False,
    "paused": False,
    "slots": 1,
    "waiting": 0,
    "held_by": [],
}


async def create(http: httpx.AsyncClient, key: str = "k") -> dict[str, Any]:
    answer = await http.post("/jobs", json={"type": "echo", "key": key})
    assert answer.status_code == 201
    found: dict[str, Any] = answer.json()
    return found


async def status(http: httpx.AsyncClient, id: str) -> str:
    found: str = (await http.get(f"/jobs/{id}")).json()["status"]
    return found


async def test_a_job_with_a_key_uses_it(http: httpx.AsyncClient) -> None:
    job = await create(http)
    assert "key" not in job
    answer = await http.get("/keys/k")
    assert (answer.status_code, answer.json()) == (200, FREE)
    assert answer.headers["content-type"] == "application/json"
    is_problem(await http.get("/keys/other"), 404, "FM418")
    is_problem(await http.post("/jobs", json={"type": "echo", "key": ""}), 422, "FM422")
    is_problem(await http.get("/keys/"), 422, "FM311")


async def test_a_rule_is_put_and_deleted(http: httpx.AsyncClient) -> None:
    rule = {"concurrency": 2, "rate": "10/s", "burst": None, "share": 3}
    answer = await http.put("/keys/k", json=rule)
    put = FREE | {"slots": 0, "pinned": True, "concurrency": 2, "rate": 10.0, "burst": 10, "share": 3}
    assert (answer.status_code, answer.json()) == (200, put)
    assert (await http.put("/keys/k", json=rule)).json() == put
    assert (await http.delete("/keys/k")).json() == put | {"pinned": False}
    is_problem(await http.delete("/keys/other"), 404, "FM418")


@pytest.mark.parametrize("key", ["a/pause", "a/resume", "a/pass"])
async def test_a_key_may_be_called_as_what_is_done_to_keys(http: httpx.AsyncClient, key: str) -> None:
    await create(http, key)
    assert (await http.get(f"/keys/{key}")).json()["key"] == key
    assert (await http.put(f"/keys/{key}", json={"concurrency": 2})).json()["concurrency"] == 2
    assert (await http.post(f"/keys/{key}/pause")).json()["key"] == key
    assert (await http.delete(f"/keys/{key}")).status_code == 200
    wrong = await http.patch(f"/keys/{key}")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize(
    ("body", "pointers", "told"),
    [
        ({"concurency": 2}, ["/concurency"], "Did you mean concurrency"),
        ({"concurrency": 0, "rate": "5/w"}, ["/concurrency", "/rate"], "concurrency cannot be 0"),
        ({"rate": 1, "burst": "2"}, ["/burst"], "burst cannot be '2'"),
        ({"share": 1001}, ["/share"], "from 1 to 1000"),
        ({"sequence": "yes"}, ["/sequence"], "true or false"),
        ({"sequence": True, "on_failure": "stop"}, ["/on_failure"], "hold, pass"),
        ({"sequence": True, "rate": 1}, [""], "neither a rate"),
        ({"on_failure": "pass"}, [""], "only for a sequence"),
        ({"burst": 2}, [""], "with a rate only"),
        ([], [""], "not a JSON object"),
    ],
)
async def test_a_wrong_rule_is_422(http: httpx.AsyncClient, body: Any, pointers: list[str], told: str) -> None:
    document = is_problem(await http.put("/keys/k", json=body), 422, "FM422")
    assert [error["pointer"] for error in document["errors"]] == pointers
    assert told in str(document)
    is_problem(await http.get("/keys/k"), 404, "FM418")


async def test_a_rule_has_to_be_json(http: httpx.AsyncClient) -> None:
    is_problem(await http.put("/keys/k", content=b"{}"), 415, "FM415")
    is_problem(await http.put("/keys/k?x=1", json={}), 400, "FM401")


async def test_a_key_is_paused_and_resumed(http: httpx.AsyncClient) -> None:
    is_problem(await http.post("/keys/k/resume"), 404, "FM418")
    assert (await http.post("/keys/k/pause")).json()["paused"] is True
    job = await create(http)
    assert (job["status"], await status(http, job["id"])) == ("waiting", "waiting")
    answer = await http.post("/keys/k/resume")
    assert (answer.status_code, answer.json()) == (200, FREE)
    assert await status(http, job["id"]) == "pending"
    is_problem(await http.post("/keys/k/pause", json={"x": 1}), 422, "FM422")


async def test_a_sequence_passes_its_failed_job(world: World, http: httpx.AsyncClient) -> None:
    await http.put("/keys/k", json={"sequence": True, "on_failure": "hold"})
    first, second = await create(http), await create(http)
    await world.finish(Outcome(What.FAILED, retryable=False))
    found = (await http.get("/keys/k")).json()
    assert (found["sequence"], found["on_failure"], found["held_by"]) == (True, "hold", [first["id"]])
    answer = await http.post("/keys/k/pass")
    assert (answer.status_code, answer.json()) == (200, {"passed": [first["id"]]})
    assert await status(http, second["id"]) == "pending"
    is_problem(await http.post("/keys/other/pass"), 404, "FM418")


async def test_keys_come_in_pages(http: httpx.AsyncClient) -> None:
    assert (await http.get("/keys")).json() == []
    for key in ("b/1 ü", "a", "c"):
        await create(http, key)
    answer = await http.get("/keys", params={"limit": 2})
    assert [each["key"] for each in answer.json()] == ["a", "b/1 ü"]
    following = await http.get(answer.links["next"]["url"])
    assert [each["key"] for each in following.json()] == ["c"]
    assert "next" not in following.links
    assert (await http.get("/keys/b%2F1%20%C3%BC")).json()["key"] == "b/1 ü"
    assert (await http.post("/keys/b%2F1%20%C3%BC/pause")).json()["paused"] is True
    is_problem(await http.get("/keys?limit=0"), 400, "FM401")
