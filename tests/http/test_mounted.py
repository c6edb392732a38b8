"""The API below a prefix of somebody else's site: every path works, and every link leads back to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from tests.http.world import UNKNOWN, World, is_problem, talk

pytestmark = pytest.mark.anyio


def site(world: World, prefix: str) -> Starlette:
    return Starlette(routes=[Mount(prefix, world.api)])


@pytest.fixture(params=["/queue", "/jobs", "/a/jobs/b", "/tief und hoch/ä"])
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def mounted(world: World, prefix: str) -> AsyncIterator[httpx.AsyncClient]:
    async with talk(site(world, prefix)) as client:
        yield client


async def test_the_location_of_a_job_leads_to_it(mounted: httpx.AsyncClient, prefix: str) -> None:
    answer = await mounted.post(f"{prefix}/jobs", json={"type": "echo"})
    assert answer.status_code == 201
    location = answer.headers["location"]
    assert location == httpx.URL(f"http://test{prefix}/jobs/{answer.json()['id']}").raw_path.decode()
    assert (await mounted.get(location)).json() == answer.json()


async def test_the_next_page_is_below_the_prefix(mounted: httpx.AsyncClient, prefix: str) -> None:
    ids = [(await mounted.post(f"{prefix}/jobs", json={"type": "echo"})).json()["id"] for _ in range(3)]
    found: list[str] = []
    page = f"{prefix}/jobs?limit=1&type=echo"
    while page:
        answer = await mounted.get(page)
        found += [job["id"] for job in answer.json()]
        page = answer.links.get("next", {}).get("url", "")
    assert found == ids


@pytest.mark.parametrize("path", ["/jobs", "/health", "/livez", "/readyz", "/metrics"])
async def test_every_path_answers(mounted: httpx.AsyncClient, prefix: str, path: str) -> None:
    assert (await mounted.get(f"{prefix}{path}")).status_code == 200


async def test_the_document_says_where_it_is(mounted: httpx.AsyncClient, prefix: str) -> None:
    [server] = (await mounted.get(f"{prefix}/openapi.json")).json()["servers"]
    assert server == {"url": httpx.URL(f"http://test{prefix}").raw_path.decode()}


async def test_a_job_can_be_cancelled_and_retried(mounted: httpx.AsyncClient, prefix: str) -> None:
    id = (await mounted.post(f"{prefix}/jobs", json={"type": "echo"})).json()["id"]
    assert (await mounted.post(f"{prefix}/jobs/{id}/cancel")).json()["status"] == "cancelled"
    assert (await mounted.post(f"{prefix}/jobs/{id}/retry")).json()["status"] == "pending"


async def test_what_is_not_there_is_404(mounted: httpx.AsyncClient, prefix: str) -> None:
    is_problem(await mounted.get(f"{prefix}/jobs/{UNKNOWN}"), 404, "FM404")
    is_problem(await mounted.get(f"{prefix}/nothing"), 404, "FM440")
    is_problem(await mounted.get(f"{prefix}/"), 404, "FM440")


async def test_a_prefix_with_line_breaks_cannot_forge_a_header(world: World) -> None:
    async with talk(Starlette(routes=[Mount("/{tenant}", world.api)])) as http:
        answer = await http.post("/a%0D%0AX-Forged: yes/jobs", json={"type": "echo"})
        assert answer.headers["location"].startswith("/a%0D%0AX-Forged%3A%20yes/jobs/")
        assert "x-forged" not in answer.headers


async def test_a_site_that_strips_the_prefix_from_the_path_is_understood(world: World) -> None:
    async def stripping(scope: Scope, receive: Receive, send: Send) -> None:
        await world.api({**scope, "root_path": "/queue", "path": scope["path"].removeprefix("/queue")}, receive, send)

    async with talk(stripping) as http:
        answer = await http.post("/queue/jobs", json={"type": "echo"})
        assert answer.headers["location"] == f"/queue/jobs/{answer.json()['id']}"
        assert (await http.get(answer.headers["location"])).status_code == 200
