"""GET /jobs?filter=..: the grammar in a URL, with the other parameters, in pages that look at so many jobs at most."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from ferryman.domain.filters import parse
from tests.http.world import World, is_problem

pytestmark = pytest.mark.anyio


async def create(http: httpx.AsyncClient, **members: object) -> str:
    return (await http.post("/jobs", json={"type": "echo"} | members)).headers["location"]


async def ids(http: httpx.AsyncClient, **parameters: str) -> list[str]:
    answer = await http.get("/jobs", params=parameters)
    assert answer.status_code == 200, answer.text
    return [f"/jobs/{job['id']}" for job in answer.json()]


async def test_a_filter_says_which_jobs(http: httpx.AsyncClient) -> None:
    jobs = [await create(http, payload={"user": {"id": n}}, tags=[f"t{n % 2}"]) for n in range(4)]
    assert await ids(http, filter="payload.user.id:1,2") == jobs[1:3]
    assert await ids(http, filter="type:ec* -tag:t1 status:pending") == jobs[::2]
    assert await ids(http, filter="payload.user.id:1,2", tag="t0") == jobs[2:3]
    assert await ids(http, filter="status:pending", status="failed") == []
    assert await ids(http, type="e*o") == jobs


async def test_what_is_not_shown_is_not_found_out(http: httpx.AsyncClient) -> None:
    job = await create(http, payload={"token": "abc"})
    assert await ids(http, filter="payload.token:abc") == []
    assert await ids(http, filter="-payload.token:abc") == [job]


async def test_a_filter_that_cannot_be_read_is_400(http: httpx.AsyncClient) -> None:
    document = is_problem(await http.get("/jobs", params={"filter": "type:a statsu:failed"}), 400, "FM423")
    assert "at column 8. There is no field 'statsu'. Did you mean status?" in document["detail"]
    is_problem(await http.get("/jobs?filter="), 400, "FM401")
    is_problem(await http.get("/jobs?filter=tag:a&filter=tag:b"), 400, "FM401")


async def test_ages_are_times_on_all_pages(world: World, http: httpx.AsyncClient) -> None:
    jobs = [await create(http) for _ in range(3)]
    answer = await http.get("/jobs", params={"filter": "created:<1h", "limit": "2"})
    [text] = parse_qs(urlsplit(answer.links["next"]["url"]).query)["filter"]
    assert text == "created:>=2025-12-31T23:00:00.000001Z"
    world.clock.advance(7200)
    assert [f"/jobs/{job['id']}" for job in (await http.get(answer.links["next"]["url"])).json()] == jobs[2:]
    assert "ferryman-scanned" not in answer.headers  # the ids alone say which fit


async def test_a_page_that_ends_short_says_so(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [await create(http, payload={"n": n}) for n in range(5)]

    def read(text: str) -> object:
        return msgspec.structs.replace(parse(text, world.clock.now()), scan=3)

    monkeypatch.setattr(world.client, "read_filter", read)
    answer = await http.get("/jobs", params={"filter": "payload.n:4"})
    assert (answer.json(), answer.headers["ferryman-scanned"]) == ([], "3;complete=?0")
    answer = await http.get(answer.links["next"]["url"])
    assert [job["payload"]["n"] for job in answer.json()] == [4]
    assert (answer.headers["ferryman-scanned"], answer.links) == ("2;complete=?1", {})
    answer = await http.get("/jobs", params={"filter": "payload.n:0,1,2", "limit": "2"})
    assert [f"/jobs/{job['id']}" for job in answer.json()] == jobs[:2]
    assert (answer.headers["ferryman-scanned"], "next" in answer.links) == ("3;complete=?1", True)
