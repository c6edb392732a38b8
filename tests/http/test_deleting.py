"""DELETE /jobs/{id}."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ferryman.domain.outcome import Outcome, What
from ferryman.domain.state import Status
from ferryman.store.controlling import Deleted
from tests.http.world import UNKNOWN, World, is_problem

pytestmark = pytest.mark.anyio


async def create(http: httpx.AsyncClient, **members: object) -> str:
    return (await http.post("/jobs", json={"type": "echo"} | members)).headers["location"]


async def test_a_job_that_has_ended_is_deleted(world: World, http: httpx.AsyncClient) -> None:
    job = await create(http)
    await world.finish(Outcome(What.DONE, "1"))
    answer = await http.delete(job)
    assert (answer.status_code, answer.content) == (204, b"")
    is_problem(await http.get(job), 404, "FM404")
    is_problem(await http.delete(job), 404, "FM404")


async def test_a_job_that_has_not_ended_is_409(http: httpx.AsyncClient) -> None:
    job = await create(http)
    assert "is pending" in is_problem(await http.delete(job), 409, "FM409")["detail"]
    assert (await http.get(job)).json()["status"] == "pending"


async def test_a_job_whose_claim_is_open_is_409(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def delete(id: str, now: int, *, deed: object, expected: object) -> Deleted:
        return Deleted(Status.COMPLETED)

    monkeypatch.setattr(world.store, "delete", delete)
    assert "cannot be deleted yet" in is_problem(await http.delete(f"/jobs/{UNKNOWN}"), 409, "FM409")["detail"]


async def test_only_the_version_that_is_meant_is_deleted(world: World, http: httpx.AsyncClient) -> None:
    job = await create(http)
    await world.finish(Outcome(What.FAILED, retryable=False))
    seen = (await http.get(job)).headers["etag"]
    await http.post(f"{job}/retry")
    await world.finish(Outcome(What.DONE, "1"))
    is_problem(await http.delete(job, headers={"If-Match": seen}), 412, "FM412")
    now = (await http.get(job)).headers["etag"]
    assert (await http.delete(job, headers={"If-Match": now})).status_code == 204
    is_problem(await http.delete(job, headers={"If-Match": now}), 404, "FM404")


async def test_a_job_that_ends_anew_between_the_look_and_the_delete_stays(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await create(http)
    await world.finish(Outcome(What.FAILED, retryable=False))
    seen = (await http.get(job)).headers["etag"]
    real = world.store.delete

    async def delete(id: str, now: int, **more: Any) -> Deleted:
        await world.store.retry(id, now)
        await world.finish(Outcome(What.DONE, "1"))
        return await real(id, now, **more)

    monkeypatch.setattr(world.store, "delete", delete)
    is_problem(await http.delete(job, headers={"If-Match": seen}), 412, "FM412")
    assert (await http.get(job)).json()["status"] == "completed"


async def test_it_takes_no_body_and_no_parameters(http: httpx.AsyncClient) -> None:
    job = await create(http)
    is_problem(await http.delete(f"{job}?force=1"), 400, "FM401")
    is_problem(await http.request("DELETE", job, json={"a": 1}), 422, "FM422")
