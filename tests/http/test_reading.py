"""GET /jobs and GET /jobs/{id}: filters, order, pages, times."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.job import Job
from ferryman.domain.outcome import Outcome, What
from ferryman.domain.state import Status
from ferryman.http import wire
from tests.http.world import UNKNOWN, World, is_problem

pytestmark = pytest.mark.anyio


async def create(http: httpx.AsyncClient, **members: object) -> str:
    answer = await http.post("/jobs", json={"type": "echo"} | members)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


async def ids(http: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await http.get(f"/jobs{query}")
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()]


async def test_no_jobs_are_an_empty_array(http: httpx.AsyncClient) -> None:
    answer = await http.get("/jobs")
    assert (answer.status_code, answer.content) == (200, b"[]")
    assert answer.headers["content-type"] == "application/json"
    assert "link" not in answer.headers


async def test_jobs_come_oldest_first_unless_asked(http: httpx.AsyncClient) -> None:
    made = [await create(http) for _ in range(3)]
    assert await ids(http) == made
    assert await ids(http, "?order=asc") == made
    assert await ids(http, "?order=desc") == made[::-1]


async def test_each_filter_and_several_values_as_or(world: World, http: httpx.AsyncClient) -> None:
    done = await create(http)
    await world.finish(Outcome(What.DONE))
    plain = await create(http)
    mail = await create(http, queue="mail", tags=["x", "y"])
    later = await create(http, delay=60, tags=["y", "ü&="])
    assert await ids(http, "?status=completed") == [done]
    assert await ids(http, "?status=pending&status=scheduled") == [plain, mail, later]
    assert await ids(http, "?queue=mail") == [mail]
    assert await ids(http, "?queue=mail&queue=default") == [done, plain, mail, later]
    assert await ids(http, "?tag=x") == [mail]
    assert await ids(http, "?tag=x&tag=%C3%BC%26%3D") == [mail, later]
    assert await ids(http, "?tag=y&queue=default") == [later]
    assert await ids(http, "?type=echo&limit=1") == [done]
    assert await ids(http, "?type=other") == []


async def pages(http: httpx.AsyncClient, path: str) -> list[list[str]]:
    found: list[list[str]] = []
    while path:
        answer = await http.get(path)
        found.append([job["id"] for job in answer.json()])
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    return found


async def test_links_lead_through_every_page_once(http: httpx.AsyncClient) -> None:
    made = [await create(http, tags=["ü&="]) for _ in range(6)]
    await create(http)
    assert await pages(http, "/jobs?limit=4&tag=%C3%BC%26%3D") == [made[:4], made[4:]]
    assert await pages(http, "/jobs?limit=3&tag=%C3%BC%26%3D") == [made[:3], made[3:]]
    assert await pages(http, "/jobs?tag=%C3%BC%26%3D&order=desc&limit=5") == [made[:0:-1], made[:1]]


async def test_bodies_are_left_out_where_nobody_wants_them(world: World, http: httpx.AsyncClient) -> None:
    await create(http, payload={"n": 1})
    await world.finish(Outcome(What.DONE, result="1"))
    await create(http, payload={"n": 1})
    whole = (await http.get("/jobs?bodies=true")).json()
    assert [(job["payload"], job["result"]) for job in whole] == [({"n": 1}, 1), ({"n": 1}, None)]
    expected = [job | {"payload": None, "result": None} for job in whole]
    for query in ("bodies=false", "bodies=false&filter=payload.n:1"):
        assert (await http.get(f"/jobs?{query}")).json() == expected
    [first, second] = await pages(http, "/jobs?bodies=false&limit=1")
    assert [first, second] == [[job["id"]] for job in whole]
    link = (await http.get("/jobs?bodies=false&limit=1")).headers["link"]
    assert "bodies=false" in link


async def test_the_last_page_has_no_link(http: httpx.AsyncClient) -> None:
    await create(http)
    await create(http)
    assert "link" not in (await http.get("/jobs?limit=2")).headers
    assert "link" in (await http.get("/jobs?limit=1")).headers


@pytest.mark.parametrize(
    "query",
    [
        "?stauts=pending",
        "?Status=pending",
        "?status=done",
        "?status=PENDING",
        "?status=",
        "?status=pending,failed",
        "?type=",
        "?queue=",
        "?tag=",
        "?tag=%00",
        "?tag=%FF",
        "?limit=0",
        "?limit=-1",
        "?limit=10001",
        "?limit=1e2",
        "?limit=1.0",
        "?limit=abc",
        "?limit=",
        "?limit=%D9%A3",
        "?limit=" + "9" * 5000,
        "?limit=1&limit=2",
        "?order=newest",
        "?order=asc&order=asc",
        "?bodies=no",
        "?bodies=true&bodies=true",
        "?cursor=xyz",
        "?cursor=",
        "?cursor=" + UNKNOWN + "&cursor=" + UNKNOWN,
        "?offset=5",
        "?" + "tag=x&" * 1001,
        "?=x",
        "?status",
    ],
)
async def test_a_bad_parameter_is_400(http: httpx.AsyncClient, query: str) -> None:
    is_problem(await http.get(f"/jobs{query}"), 400, "FM401")


async def test_a_bad_parameter_comes_with_what_is_allowed(http: httpx.AsyncClient) -> None:
    document = is_problem(await http.get("/jobs?stauts=pending"), 400, "FM401")
    assert "stauts" in document["detail"]
    assert "Did you mean status?" in document["detail"]
    document = is_problem(await http.get("/jobs?limit=99999"), 400, "FM401")
    assert "limit" in document["detail"]
    assert "10000" in document["detail"]


async def test_the_other_paths_take_no_parameters(http: httpx.AsyncClient) -> None:
    job = await create(http)
    is_problem(await http.get(f"/jobs/{job}?verbose=1"), 400, "FM401")
    is_problem(await http.post(f"/jobs/{job}/cancel?force=1"), 400, "FM401")
    is_problem(await http.post(f"/jobs/{job}/retry?now=1"), 400, "FM401")


@pytest.mark.parametrize("path", ["/jobs/{}", "/jobs/{}/cancel", "/jobs/{}/retry"])
@pytest.mark.parametrize("name", [UNKNOWN, "xyz", "1", "00000000", "%00", UNKNOWN[:-1] + "g", UNKNOWN.replace("-", "")])
async def test_an_unknown_or_malformed_id_is_404(http: httpx.AsyncClient, path: str, name: str) -> None:
    method = "GET" if path == "/jobs/{}" else "POST"
    is_problem(await http.request(method, path.format(name)), 404, "FM404")


async def test_an_id_may_be_in_capitals(http: httpx.AsyncClient) -> None:
    job = await create(http)
    assert (await http.get(f"/jobs/{job.upper()}")).json()["id"] == job


def some_job(number: int) -> Job:
    """A job whose every nullable field is set."""
    return Job(
        id=f"{number:08x}{UNKNOWN[8:]}",
        type="echo",
        queue="default",
        priority=5,
        status=Status.COMPLETED,
        attempt=1,
        max_attempts=5,
        claim=1,
        payload=json.dumps({"n": number}),
        result='"\u00e9"',
        error=None,
        run_at=number,
        created_at=number,
        started_at=number,
        finished_at=number,
        expires_at=number,
        worker_id="node-1/worker-1",
        node="node-1",
        unique_key="k",
        tags=("a",),
    )


@pytest.mark.parametrize("count", [0, 1, wire.PIECE - 1, wire.PIECE, wire.PIECE + 1, 3 * wire.PIECE])
def test_a_page_in_pieces_is_one_array(count: int) -> None:
    jobs = [some_job(number) for number in range(count)]
    pieces = list(wire.page_json(jobs))
    page: list[dict[str, Any]] = json.loads(b"".join(pieces))
    assert [job["payload"]["n"] for job in page] == list(range(count))
    assert page == [json.loads(wire.job_json(job)) for job in jobs]
    assert len(pieces) == -(-count // wire.PIECE) + 1


async def test_a_page_longer_than_a_piece_comes_whole(world: World, http: httpx.AsyncClient) -> None:
    made = [await create(http) for _ in range(wire.PIECE + 1)]
    assert await ids(http) == made


@given(st.integers(0, 253_402_300_799_999_999))
def test_times_are_written_with_microseconds_and_read_back(micros: int) -> None:
    text = wire.write_moment(micros)
    assert text.endswith("Z")
    assert len(text) == len("2026-01-01T00:00:00.000000Z")
    assert wire.read_moment(text) == micros


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:01z", 1_000_000),
        ("1970-01-01 00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.1234567Z", 123_456),
        ("1970-01-01T01:30:00+01:30", 0),
        ("1969-12-31T23:00:00-01:00", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01T00:00:00", None),
        ("1970-01-01", None),
        ("19700101T000000Z", None),
        ("1970-W01-1T00:00:00Z", None),
        ("1970-01-01T00:00Z", None),
        ("1970-01-01T00:00:00,5Z", None),
        ("1970-01-01T00:00:00+0100", None),
        ("1970-01-01T00:00:61Z", None),
        ("1970-13-01T00:00:00Z", None),
        ("1970-01-01T00:00:00+25:00", None),
        ("\u0661970-01-01T00:00:00Z", None),
        (" 1970-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z\n", None),
        ("", None),
    ],
)
def test_rfc_3339_is_read_and_nothing_else(text: str, micros: int | None) -> None:
    assert wire.read_moment(text) == micros


def test_payload_and_result_are_embedded_as_they_are() -> None:
    job = msgspec.structs.replace(some_job(1), payload='{"a":1.50,  "b":"\\u00e9"}', result="1e2")
    text = wire.job_json(job)
    assert b'"payload":{"a":1.50,  "b":"\\u00e9"},"result":1e2,' in text
    assert datetime.fromisoformat(json.loads(text)["created_at"]).microsecond == 1


async def test_a_job_that_waits_is_explained(http: httpx.AsyncClient) -> None:
    await http.post("/jobs", json={"type": "echo"})
    id = (await http.post("/jobs", json={"type": "echo"})).json()["id"]
    await http.post("/queues/default/pause")
    answer = await http.get(f"/jobs/{id}/explain")
    assert answer.status_code == 200
    told = answer.json()
    assert list(told) == ["id", "status", "summary", "conditions", "ahead", "estimated_start"]
    assert (told["id"], told["status"], told["ahead"], told["estimated_start"]) == (id, "pending", 1, None)
    assert told["summary"] == "Queue default is paused; `ferryman resume` lets it go on."
    assert [each["name"] for each in told["conditions"] if not each["holds"]] == [
        "queue not paused",
        "a node can run it",
    ]


async def test_what_is_scheduled_is_explained_with_its_start(http: httpx.AsyncClient) -> None:
    at = "2030-01-31T12:00:00.000000Z"
    id = (await http.post("/jobs", json={"type": "echo", "run_at": at})).json()["id"]
    told = (await http.get(f"/jobs/{id}/explain")).json()
    assert (told["status"], told["ahead"]) == ("scheduled", None)


async def test_who_is_not_there_is_not_explained(http: httpx.AsyncClient) -> None:
    is_problem(await http.get(f"/jobs/{UNKNOWN}/explain"), 404, "FM404")
    is_problem(await http.get(f"/jobs/{UNKNOWN}/explain?why=1"), 400, "FM401")
