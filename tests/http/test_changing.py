"""POST /jobs/{id}/cancel and /retry."""

from __future__ import annotations

import httpx
import pytest

from ferryman.domain.outcome import Outcome, What
from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio


async def create(http: httpx.AsyncClient, **members: object) -> str:
    found: str = (await http.post("/jobs", json={"type": "echo"} | members)).headers["location"]
    return found


async def test_cancel_ends_a_job_that_waits(http: httpx.AsyncClient) -> None:
    for members in ({}, {"delay": 60}):
        job = await create(http, **members)
        answer = await http.post(f"{job}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert (await http.get(job)).json() == answer.json()


async def test_cancel_asks_a_running_job_to_end(world: World, http: httpx.AsyncClient) -> None:
    job = await create(http)
    [claimed] = await world.claim()
    for _ in range(2):
        answer = await http.post(f"{job}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "processing")
    assert world.node is not None
    assert list(await world.store.cancellations(world.node)) == [(claimed.id, claimed.number)]


@pytest.mark.parametrize("what", [What.DONE, What.FAILED, What.CANCELLED])
async def test_cancel_of_a_job_that_has_ended_is_409(world: World, http: httpx.AsyncClient, what: What) -> None:
    job = await create(http, max_attempts=1)
    await world.finish(Outcome(what))
    before = (await http.get(job)).json()
    document = is_problem(await http.post(f"{job}/cancel"), 409, "FM409")
    assert before["status"] in document["detail"]
    assert (await http.get(job)).json() == before


async def test_retry_sends_a_failed_or_cancelled_job_back(world: World, http: httpx.AsyncClient) -> None:
    for what in (What.FAILED, What.CANCELLED):
        job = await create(http, max_attempts=1)
        await world.finish(Outcome(what))
        answer = await http.post(f"{job}/retry")
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["attempt"]) == ("pending", 0)
        await world.finish(Outcome(What.DONE))


async def test_retry_of_any_other_job_is_409(world: World, http: httpx.AsyncClient) -> None:
    pending = await create(http)
    is_problem(await http.post(f"{pending}/retry"), 409, "FM409")
    await world.claim()
    is_problem(await http.post(f"{pending}/retry"), 409, "FM409")
    scheduled = await create(http, delay=60)
    is_problem(await http.post(f"{scheduled}/retry"), 409, "FM409")
    done = await create(http)
    await world.finish(Outcome(What.DONE))
    is_problem(await http.post(f"{done}/retry"), 409, "FM409")


async def test_retry_of_a_job_whose_unique_key_is_taken_is_409(world: World, http: httpx.AsyncClient) -> None:
    job = await create(http, unique_key="k", max_attempts=1)
    await world.finish(Outcome(What.FAILED))
    holder = await create(http, unique_key="k")
    document = is_problem(await http.post(f"{job}/retry"), 409, "FM312")
    assert holder == f"/jobs/{document['holder']}"


async def test_a_body_may_be_empty_or_say_nothing(http: httpx.AsyncClient) -> None:
    for body in (b"", b"{}", b" { } "):
        answer = await http.post(f"{await create(http)}/cancel", content=body)
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"), [(b'{"force":true}', 422, "FM422"), (b"[]", 422, "FM422"), (b"x", 400, "FM400")]
)
async def test_any_other_body_is_refused(http: httpx.AsyncClient, body: bytes, status: int, code: str) -> None:
    job = await create(http)
    for verb in ("cancel", "retry"):
        is_problem(await http.post(f"{job}/{verb}", content=body), status, code)
    assert (await http.get(job)).json()["status"] == "pending"
