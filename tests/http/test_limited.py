"""What limited keys are told of jobs of others that stand in their way: that there is one, and no more."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from ferryman.domain.outcome import Outcome, What
from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio

NEW_ID = "01890a5d-ac96-774b-bcce-b302099a8058"
OWN: dict[str, Any] = {"type": "echo", "queue": "mail"}
Headers = dict[str, str]


@pytest.fixture
async def limited(world: World) -> Headers:
    """The key of somebody who is limited to the queue mail."""
    return await world.key("enqueue", "operate", queues=["mail"])


@pytest.fixture
async def everything(world: World) -> Headers:
    """The key of somebody who is not."""
    return await world.key("admin", name="admin")


async def elsewhere(http: httpx.AsyncClient, key: Headers, **body: Any) -> str:
    """The id of a new job in another queue."""
    answer = await http.post("/jobs", json={"type": "echo", "queue": "letters", **body}, headers=key)
    assert answer.status_code == 201, answer.text
    id: str = answer.json()["id"]
    return id


def tells_nothing(answer: httpx.Response, *names: str) -> None:
    """Check that an answer is 403, and has neither the queue of the other job nor any of these."""
    told = is_problem(answer, 403, "FM604")
    assert all(name not in json.dumps(told) for name in ("letters", *names)), told


@pytest.mark.parametrize("on_conflict", ["error", "return"])
async def test_a_unique_key_elsewhere_is_taken_by_nobody_who_has_a_name(
    http: httpx.AsyncClient, limited: Headers, everything: Headers, on_conflict: str
) -> None:
    holder = await elsewhere(http, everything, unique_key="k")
    body = {**OWN, "unique_key": "k", "on_conflict": on_conflict}
    tells_nothing(await http.post("/jobs", json=body, headers=limited), holder)
    tells_nothing(await http.post("/jobs", json=body, headers={**limited, "Prefer": "wait=0"}), holder)
    batch = await http.post("/jobs/batch", json={"jobs": [body], "atomic": False}, headers=limited)
    [refused] = batch.json()["jobs"]
    assert (refused["status"], refused["code"]) == (403, "FM604")
    assert holder not in batch.text
    lines = {**limited, "Content-Type": "application/x-ndjson"}
    tells_nothing(await http.post("/jobs/import", content=json.dumps(body), headers=lines), holder)


async def test_a_unique_key_within_is_told_as_ever(http: httpx.AsyncClient, limited: Headers) -> None:
    body = {**OWN, "unique_key": "k"}
    holder = (await http.post("/jobs", json=body, headers=limited)).json()["id"]
    taken = await http.post("/jobs", json=body, headers=limited)
    assert is_problem(taken, 409, "FM312")["holder"] == holder
    known = await http.post("/jobs?on_conflict=return", json=body, headers=limited)
    assert (known.status_code, known.json()["id"]) == (200, holder)


async def test_an_id_or_an_idempotency_key_of_a_job_elsewhere_shows_nothing_of_it(
    world: World, http: httpx.AsyncClient, limited: Headers, everything: Headers
) -> None:
    await elsewhere(http, everything, id=NEW_ID)
    tells_nothing(await http.post("/jobs", json={**OWN, "id": NEW_ID}, headers=limited))
    other = await http.post("/jobs", json=OWN, headers={**everything, "Idempotency-Key": "i"})
    await http.patch(f"/jobs/{other.json()['id']}", json={"queue": "letters"}, headers=everything)
    for body in (OWN, {**OWN, "priority": 1}):
        answer = await http.post("/jobs", json=body, headers={**limited, "Idempotency-Key": "i"})
        tells_nothing(answer, other.json()["id"])
    assert {job.queue for job in await world.client.list("")} == {"letters"}


async def test_a_retry_does_not_say_who_has_the_unique_key_elsewhere(
    world: World, http: httpx.AsyncClient, limited: Headers, everything: Headers
) -> None:
    own = (await http.post("/jobs", json={**OWN, "unique_key": "k"}, headers=limited)).json()["id"]
    await world.finish(Outcome(What.FAILED, retryable=False))
    holder = await elsewhere(http, everything, unique_key="k")
    tells_nothing(await http.post(f"/jobs/{own}/retry", headers=limited), holder)
    told = is_problem(await http.post(f"/jobs/{own}/retry", headers=everything), 409, "FM312")
    assert told["holder"] == holder
    await http.patch(f"/jobs/{holder}", json={"queue": "mail"}, headers=everything)
    assert is_problem(await http.post(f"/jobs/{own}/retry", headers=limited), 409, "FM312")["holder"] == holder


async def test_what_was_looked_at_does_not_count_what_stands_elsewhere(
    http: httpx.AsyncClient, limited: Headers, everything: Headers
) -> None:
    for n in range(3):
        await elsewhere(http, everything, tags=["a"], payload={"n": n})
    await http.post("/jobs", json=OWN, headers=limited)
    for filter in ("tag:a", "payload.n:1", "-queue:x tag:a", "error:x", "finished:<1h"):
        answer = await http.get("/jobs", params={"filter": filter}, headers=limited)
        assert (answer.json(), answer.headers["ferryman-scanned"][:2]) in (([], "1;"), ([], "0;"))


# -- who may hand in and not read --------------------------------------------------------------------


@pytest.mark.parametrize("scopes", [["enqueue"], ["enqueue", "read"]], ids=" ".join)
async def test_who_may_not_read_sees_no_contents_of_a_job_that_is_there_already(
    world: World, http: httpx.AsyncClient, everything: Headers, scopes: list[str]
) -> None:
    key = await world.key(*scopes)
    body: dict[str, Any] = {"type": "echo", "payload": {"to": "hush"}, "unique_key": "k", "id": NEW_ID}
    assert (await http.post("/jobs", json=body, headers=everything)).status_code == 201
    own: Any = {"json": {"type": "echo"}, "headers": {**key, "Idempotency-Key": "i"}}
    second = (await http.post("/jobs", **own)).json()["id"]
    returned = await http.post("/jobs?on_conflict=return", json={"type": "echo", "unique_key": "k"}, headers=key)
    await world.finish(Outcome(What.DONE, result='"hush"'))
    again = await http.post("/jobs", json={"type": "echo", "id": NEW_ID}, headers=key)
    waited = await http.post("/jobs", json={"type": "echo", "id": NEW_ID}, headers={**key, "Prefer": "wait=1"})
    replayed = await http.post("/jobs", **own)
    answers = [returned, again, waited, replayed]
    assert [answer.json()["id"] for answer in answers] == [NEW_ID, NEW_ID, NEW_ID, second]
    assert {"hush" in answer.text for answer in answers} == {"read" in scopes}


async def test_who_may_not_read_sees_what_was_handed_in(world: World, http: httpx.AsyncClient) -> None:
    answer = await http.post("/jobs", json={"type": "echo", "payload": {"n": 1}}, headers=await world.key("enqueue"))
    assert answer.json()["payload"] == {"n": 1}
