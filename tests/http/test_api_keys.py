"""The paths of API keys."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ferryman.http.keyring import AGE
from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio


async def test_keys_are_made_rotated_and_revoked_over_http(world: World, http: httpx.AsyncClient) -> None:
    admin = await world.key("admin", name="admin")
    body = {"name": "web", "scopes": ["read"], "queues": ["mail"], "rate": "30/m", "expires_at": "2026-02-01T00:00:00Z"}
    answer = await http.post("/api-keys", json=body, headers=admin)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    issued = answer.json()
    assert issued.pop("key").startswith(f"ferryman_{issued['id']}_")
    assert (issued["scopes"], issued["queues"], issued["rate"], issued["burst"]) == (["read"], ["mail"], 0.5, 1)
    world.clock.advance(AGE)
    assert issued in (await http.get("/api-keys", headers=admin)).json()
    rotated = await http.post("/api-keys/web/rotate", json={"grace": 60}, headers=admin)
    assert rotated.status_code == 201
    id = rotated.json()["id"]
    assert (await http.delete(f"/api-keys/web?id={id}", headers=admin)).json() == {"revoked": 1}
    assert (await http.delete("/api-keys/web", headers=admin)).json() == {"revoked": 1}
    is_problem(await http.delete("/api-keys/web", headers=admin), 404, "FM607")
    is_problem(await http.post("/api-keys/web/rotate", json={}, headers=admin), 404, "FM607")


async def test_what_makes_no_key_is_refused(http: httpx.AsyncClient) -> None:
    wrong = is_problem(await http.post("/api-keys", json={}), 422, "FM422")
    assert {each["pointer"] for each in wrong["errors"]} == {"/name", "/scopes"}
    bodies: list[dict[str, Any]] = [
        {"scopes": "read"},
        {"scopes": ["reed"]},
        {"scopes": []},
        {"queues": []},
        {"rate": 0},
        {"expires_at": "tomorrow"},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"burst": 3},
        {"secret": "x"},
    ]
    for body in bodies:
        answer = await http.post("/api-keys", json={"name": "web", "scopes": ["read"], **body})
        assert answer.status_code == 422, body
    is_problem(await http.post("/api-keys/web/rotate", json={"grace": -1}), 422, "FM422")
    is_problem(await http.delete("/api-keys/web?id=7"), 400, "FM401")
    assert (await http.get("/api-keys")).json() == []


async def test_a_name_that_is_taken_is_409(world: World, http: httpx.AsyncClient) -> None:
    made = await http.post("/api-keys", json={"name": "web", "scopes": ["admin"]})
    http.headers["Authorization"] = f"Bearer {made.json()['key']}"
    is_problem(await http.post("/api-keys", json={"name": "web", "scopes": ["admin"]}), 409, "FM608")


async def test_where_a_key_was_made_it_opens_at_once_and_where_it_was_revoked_nothing(
    world: World, http: httpx.AsyncClient
) -> None:
    key = (await http.post("/api-keys", json={"name": "web", "scopes": ["admin"]})).json()["key"]
    is_problem(await http.get("/jobs"), 401, "FM601")
    http.headers["Authorization"] = f"Bearer {key}"
    assert (await http.get("/jobs")).status_code == 200
    assert (await http.delete("/api-keys/web")).json() == {"revoked": 1}
    assert (await http.get("/jobs")).status_code == 401
