"""POST /jobs."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from ferryman.domain.job import JobError
from ferryman.domain.outcome import Outcome, What
from tests.http.world import MAX_BODY, World, is_problem, talk

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}
FIELDS = {
    "id", "type", "queue", "priority", "status", "attempt", "max_attempts", "claim", "payload", "result", "error",
    "run_at", "created_at", "started_at", "finished_at", "expires_at", "worker_id", "node", "unique_key", "tags",
}  # fmt: skip
MINE = "01890a5d-ac96-774b-bcce-b302099a8057"


async def test_a_job_is_created_and_can_be_read(http: httpx.AsyncClient) -> None:
    answer = await http.post("/jobs", json={"type": "echo", "payload": {"to": "a@b.c", "n": [1, 2.5, None]}})
    assert answer.status_code == 201
    job = answer.json()
    assert set(job) == FIELDS
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert answer.headers["content-type"] == "application/json"
    assert "idempotent-replayed" not in answer.headers
    read = await http.get(answer.headers["location"])
    assert read.status_code == 200
    assert read.json() == job
    assert job == {
        "id": job["id"],
        "type": "echo",
        "queue": "default",
        "priority": 5,
        "status": "pending",
        "attempt": 0,
        "max_attempts": 5,
        "claim": 0,
        "payload": {"to": "a@b.c", "n": [1, 2.5, None]},
        "result": None,
        "error": None,
        "run_at": None,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "started_at": None,
        "finished_at": None,
        "expires_at": None,
        "worker_id": None,
        "node": None,
        "unique_key": None,
        "tags": [],
    }


async def test_every_member_is_taken(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/jobs",
        json={
            "type": "echo",
            "queue": "mail",
            "priority": 0,
            "max_attempts": 3,
            "timeout": 1.5,
            "run_at": "2026-01-01T03:00:00.5+02:00",
            "expires_at": "2026-01-02T00:00:00Z",
            "unique_key": "k",
            "tags": ["a", "b"],
        },
    )
    assert answer.status_code == 201
    job = (await http.get(answer.headers["location"])).json()
    assert job["status"] == "scheduled"
    assert job["payload"] == {}
    wanted = {
        "queue": "mail",
        "priority": 0,
        "max_attempts": 3,
        "run_at": "2026-01-01T01:00:00.500000Z",
        "expires_at": "2026-01-02T00:00:00.000000Z",
        "unique_key": "k",
        "tags": ["a", "b"],
    }
    assert {name: job[name] for name in wanted} == wanted


async def test_a_delay_schedules(http: httpx.AsyncClient) -> None:
    job = (await http.post("/jobs", json={"type": "echo", "delay": 30})).json()
    assert (job["status"], job["run_at"]) == ("scheduled", "2026-01-01T00:00:30.000000Z")


async def test_null_is_the_default_except_where_it_cannot_be(http: httpx.AsyncClient) -> None:
    body: dict[str, Any] = {"type": "echo", "queue": None, "run_at": None, "tags": None, "unique_key": None}
    assert (await http.post("/jobs", json=body)).status_code == 201
    for name in ("type", "payload"):
        document = is_problem(await http.post("/jobs", json={"type": "echo"} | {name: None}), 422, "FM422")
        assert [each["pointer"] for each in document["errors"]] == [f"/{name}"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", 5),
        ("type", ""),
        ("type", "no spaces"),
        ("payload", []),
        ("payload", "{}"),
        ("payload", 5),
        ("queue", ""),
        ("queue", 1),
        ("queue", "x" * 200),
        ("priority", -1),
        ("priority", 10),
        ("priority", 2.5),
        ("priority", True),
        ("priority", "5"),
        ("max_attempts", 0),
        ("max_attempts", "3"),
        ("timeout", 0),
        ("timeout", "10s"),
        ("run_at", 1767225600),
        ("run_at", "tomorrow"),
        ("run_at", "2026-01-01"),
        ("run_at", "2026-01-01T00:00:00"),
        ("run_at", "2026-02-30T00:00:00Z"),
        ("delay", -1),
        ("delay", "5"),
        ("expires_at", "never"),
        ("unique_key", ""),
        ("unique_key", 7),
        ("on_conflict", "ignore"),
        ("tags", "a,b"),
        ("tags", [1]),
        ("tags", {"a": 1}),
        ("nonsense", 1),
        ("prioritty", 1),
        ("a/b~c", 1),
    ],
)
async def test_a_wrong_member_is_named(http: httpx.AsyncClient, member: str, value: object) -> None:
    answer = await http.post("/jobs", json={"type": "echo"} | {member: value})
    document = is_problem(answer, 422, "FM422")
    [error] = document["errors"]
    assert error["pointer"] == "/" + member.replace("~", "~0").replace("/", "~1")
    assert error["message"]
    assert (await http.get("/jobs")).json() == []


async def test_all_wrong_members_are_named_at_once(http: httpx.AsyncClient) -> None:
    document = is_problem(await http.post("/jobs", json={"priority": 99, "quue": "x"}), 422, "FM422")
    assert {each["pointer"] for each in document["errors"]} == {"/priority", "/quue", "/type"}
    assert "Did you mean queue?" in str(document["errors"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "echo", "delay": 1, "run_at": "2030-01-01T00:00:00Z"}, "FM311"),
        ({"type": "echo", "expires_at": "2020-01-01T00:00:00Z"}, "FM311"),
        ({"type": "ehco"}, "FM310"),
        ({"type": "echo", "payload": {"refuse": 1}}, "FM302"),
    ],
)
async def test_what_the_client_refuses_is_422(http: httpx.AsyncClient, body: object, code: str) -> None:
    is_problem(await http.post("/jobs", json=body), 422, code)


async def test_an_unknown_type_comes_with_a_guess(http: httpx.AsyncClient) -> None:
    document = is_problem(await http.post("/jobs", json={"type": "ehco"}), 422, "FM310")
    assert "Did you mean echo?" in document["detail"]
    assert document["errors"][0]["pointer"] == "/type"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "FM400"),
        (b"   ", "FM400"),
        (b"{", "FM400"),
        (b"type=echo", "FM400"),
        (b'{"type": "echo"} x', "FM400"),
        (b'\xef\xbb\xbf{"type": "echo"}', "FM400"),
        (b'{"type": "echo", "payload": {"a": "\xff"}}', "FM400"),
        ('{"type": "echo"}'.encode("utf-16"), "FM400"),
        (b'{"type": "echo", "payload": {"a": "\x00"}}', "FM400"),
        (b'{"type": "echo", "payload": {"a": "\\u0000"}}', "FM306"),
        (b'{"type": "echo", "unique_key": "\\u0000"}', "FM306"),
        (b'{"type": "echo", "payload": {"\\u0000": 1}}', "FM306"),
        (b'{"type": "echo", "payload": {"a": "\\ud800"}}', "FM306"),
        (b'{"type": "echo", "payload": {"a": NaN}}', "FM307"),
        (b'{"type": "echo", "payload": {"a": Infinity}}', "FM307"),
        (b'{"type": "echo", "payload": {"a": -Infinity}}', "FM307"),
        (b'{"type": "echo", "priority": NaN}', "FM307"),
        (b'{"type": "echo", "payload": {"a": 1e400}}', "FM307"),
        (b'{"type": "echo", "payload": {"a": 1' + b"0" * 400 + b"}}", "FM307"),
        (b'{"type": "echo", "payload": {"a": 18446744073709551616}}', "FM307"),
        (b'{"type": "echo", "type": "echo"}', "FM308"),
        (b'{"type": "echo", "payload": {"a": 1, "a": 2}}', "FM308"),
        (b'{"type": "echo", "payload": {"a": ' + b"[" * 65 + b"]" * 65 + b"}}", "FM309"),
        (b'{"type": "echo", "payload": ' + b'{"a":' * 500, "FM309"),
    ],
)
async def test_what_is_not_strict_json_is_400(http: httpx.AsyncClient, body: bytes, code: str) -> None:
    if code == "FM309" and not body.endswith(b"}"):
        body += b"1" + b"}" * 501
    is_problem(await http.post("/jobs", content=body, headers=JSON), 400, code)
    assert (await http.get("/jobs")).json() == []


@pytest.mark.parametrize("body", [b"[]", b"null", b'"echo"', b"5", b'[{"type": "echo"}]'])
async def test_a_body_that_is_no_object_is_422(http: httpx.AsyncClient, body: bytes) -> None:
    document = is_problem(await http.post("/jobs", content=body, headers=JSON), 422, "FM422")
    assert document["errors"][0]["pointer"] == ""


@pytest.mark.parametrize(
    "said",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json; charset=latin-1",
        "application/problem+json",
        "json",
    ],
)
async def test_another_content_type_is_415(http: httpx.AsyncClient, said: str | None) -> None:
    headers = {} if said is None else {"content-type": said}
    is_problem(await http.post("/jobs", content=b'{"type": "echo"}', headers=headers), 415, "FM415")


async def test_an_encoded_body_is_415(http: httpx.AsyncClient) -> None:
    headers = JSON | {"content-encoding": "gzip"}
    is_problem(await http.post("/jobs", content=b'{"type": "echo"}', headers=headers), 415, "FM415")


@pytest.mark.parametrize(
    "said", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/json;profile=x"]
)
async def test_json_may_be_said_in_other_words(http: httpx.AsyncClient, said: str) -> None:
    answer = await http.post("/jobs", content=b'{"type": "echo"}', headers={"content-type": said})
    assert answer.status_code == 201


async def test_a_body_of_exactly_max_body_is_taken(http: httpx.AsyncClient) -> None:
    frame = b'{"type":"echo","payload":{"a":""}}'
    text = b"x" * (MAX_BODY - len(frame))
    body = frame.replace(b'""', b'"' + text + b'"')
    assert len(body) == MAX_BODY
    assert (await http.post("/jobs", content=body, headers=JSON)).status_code == 201
    is_problem(await http.post("/jobs", content=body + b" ", headers=JSON), 413, "FM413")


async def test_no_member_may_come_by_another_name_in_the_query(http: httpx.AsyncClient) -> None:
    is_problem(await http.post("/jobs?queue=mail", json={"type": "echo"}), 400, "FM401")
    is_problem(await http.post("/jobs?on_conflict=ignore", json={"type": "echo"}), 400, "FM401")


# -- keys --------------------------------------------------------------------------------------------


async def test_a_replayed_idempotency_key_answers_the_same_201(world: World, http: httpx.AsyncClient) -> None:
    body = {"type": "echo", "payload": {"a": 1, "b": 2}}
    first = await http.post("/jobs", json=body, headers={"idempotency-key": "k-1"})
    again = await http.post(
        "/jobs", content=b'{"payload": {"b": 2, "a": 1}, "type": "echo"}', headers=JSON | {"idempotency-key": '"k-1"'}
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert again.json() == first.json()
    assert len(await world.claim()) == 1


async def test_the_same_idempotency_key_with_another_body_is_422(http: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k-1"}
    assert (await http.post("/jobs", json={"type": "echo"}, headers=headers)).status_code == 201
    is_problem(await http.post("/jobs", json={"type": "echo", "payload": {"a": 1}}, headers=headers), 422, "FM313")
    assert len((await http.get("/jobs")).json()) == 1


async def test_a_job_with_an_id_of_its_own_is_stored_once(world: World, http: httpx.AsyncClient) -> None:
    first = await http.post("/jobs", json={"type": "echo", "id": MINE, "payload": {"a": 1}})
    assert (first.status_code, first.json()["id"]) == (201, MINE)
    assert "idempotent-replayed" not in first.headers
    await world.finish(Outcome(What.DONE, result="null"))
    again = await http.post("/jobs", json={"type": "echo", "id": MINE, "payload": {"a": 2}, "unique_key": "k"})
    assert (again.status_code, again.headers["location"]) == (201, f"/jobs/{MINE}")
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.json()["status"], again.json()["payload"]) == ("completed", {"a": 1})
    assert await world.claim() == []


@pytest.mark.parametrize("id", ["x", "", 7, MINE.upper(), MINE.replace("-7", "-4")])
async def test_an_id_that_is_none_is_422(http: httpx.AsyncClient, id: object) -> None:
    document = is_problem(await http.post("/jobs", json={"type": "echo", "id": id}), 422, "FM422")
    assert [each["pointer"] for each in document["errors"]] == ["/id"]


async def test_an_id_and_an_idempotency_key_are_not_taken_together(http: httpx.AsyncClient) -> None:
    body = {"type": "echo", "id": MINE}
    is_problem(await http.post("/jobs", json=body, headers={"idempotency-key": "k-1"}), 400, "FM401")
    assert (await http.get("/jobs")).json() == []


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "two words", "k\u00e9y"])
async def test_an_unreadable_idempotency_key_is_400(http: httpx.AsyncClient, key: str) -> None:
    headers = {b"idempotency-key": key.encode("latin-1")}
    is_problem(await http.post("/jobs", json={"type": "echo"}, headers=headers), 400, "FM401")


async def test_a_taken_unique_key_is_409_with_its_holder(http: httpx.AsyncClient) -> None:
    body = {"type": "echo", "unique_key": "k"}
    first = (await http.post("/jobs", json=body)).json()
    document = is_problem(await http.post("/jobs", json=body), 409, "FM312")
    assert document["holder"] == first["id"]


@pytest.mark.parametrize("path", ["/jobs?on_conflict=return", "/jobs"])
async def test_a_taken_unique_key_gives_its_holder_if_asked_to(http: httpx.AsyncClient, path: str) -> None:
    first = (await http.post("/jobs", json={"type": "echo", "unique_key": "k"})).json()
    body = {"type": "echo", "unique_key": "k"} | ({} if "?" in path else {"on_conflict": "return"})
    again = await http.post(path, json=body)
    assert again.status_code == 200
    assert again.json() == first
    assert again.headers["location"] == f"/jobs/{first['id']}"


async def test_a_unique_key_is_free_once_its_job_has_ended(world: World, http: httpx.AsyncClient) -> None:
    body = {"type": "echo", "unique_key": "k"}
    first = await http.post("/jobs", json=body)
    await world.finish(Outcome(What.DONE, result="null"))
    second = await http.post("/jobs", json=body)
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


# -- no room -----------------------------------------------------------------------------------------


async def test_a_full_queue_is_429_with_whole_seconds() -> None:
    async with talk(World(max_pending=1).api) as http:
        assert (await http.post("/jobs", json={"type": "echo"})).status_code == 201
        answer = await http.post("/jobs", json={"type": "echo"})
        is_problem(answer, 429, "FM314")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await http.post("/jobs", json={"type": "echo", "queue": "other"})).status_code == 201


async def test_many_at_once_are_all_created(http: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(http.post("/jobs", json={"type": "echo"}) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 50


async def test_results_and_errors_are_shown(world: World, http: httpx.AsyncClient) -> None:
    done = (await http.post("/jobs", json={"type": "echo"})).headers["location"]
    await world.finish(Outcome(What.DONE, result='{"a": [1.50, "\u00e9"]}'))
    error = JobError("FM501", "ValueError", "boom", "Traceback ...")
    failed = (await http.post("/jobs", json={"type": "echo"})).headers["location"]
    await world.finish(Outcome(What.FAILED, error=error, retryable=False))
    job = (await http.get(done)).json()
    assert (job["status"], job["result"], job["attempt"], job["claim"]) == ("completed", {"a": [1.5, "\u00e9"]}, 1, 1)
    assert job["worker_id"] == "node-1/worker-1"
    assert job["node"] == "node-1"
    assert job["finished_at"] == job["started_at"] == "2026-01-01T00:00:00.000000Z"
    job = (await http.get(failed)).json()
    assert (job["status"], job["result"]) == ("failed", None)
    assert job["error"] == {"code": "FM501", "type": "ValueError", "message": "boom"}
