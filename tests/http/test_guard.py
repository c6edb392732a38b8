"""Who may pass: open and closed, scopes, rates."""

from __future__ import annotations

import gc

import httpx
import pytest

from ferryman.domain.access import Right, with_implied
from ferryman.http.exchange import Request
from ferryman.http.keyring import AGE
from ferryman.http.openness import Open
from ferryman.http.operation import Operation
from tests.engine.world import turns
from tests.http.world import UNKNOWN, World, is_problem, operations, talk

pytestmark = pytest.mark.anyio


# -- open and closed -----------------------------------------------------------------------------


async def test_without_any_key_everybody_may_everything_where_it_may_be_open(http: httpx.AsyncClient) -> None:
    assert (await http.post("/jobs", json={"type": "echo"})).status_code == 201
    assert (await http.get("/api-keys")).json() == []


async def test_without_any_key_nobody_may_anything_where_it_may_not(world: World, http: httpx.AsyncClient) -> None:
    world.open_to = Open.NOBODY
    answer = await http.get("/jobs")
    is_problem(answer, 401, "FM601")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8080",
        "jobs.localhost",
        "127.0.0.1",
        "127.0.0.1:8080",
        "10.0.0.5",
        "[::1]",
        "[fe80::1]:80",
    ],
)
async def test_where_it_is_open_to_this_machine_that_is_named_as_such(world: World, host: str) -> None:
    world.open_to = Open.HERE
    async with talk(world.api) as http:
        assert (await http.get("/jobs", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost",
        "1.2.3", "a@127.0.0.1", "localhost:80:80", "[::1]evil.example", "::1", "", "localhost\xff",
    ],
)  # fmt: skip
async def test_a_name_that_anybody_may_have_made_is_refused_there_and_nowhere_else(world: World, host: str) -> None:
    world.open_to = Open.HERE
    named = {b"Host": host.encode("latin-1")}
    async with talk(world.api) as http:
        is_problem(await http.get("/jobs", headers=named), 403, "FM609")
        is_problem(await http.post("/jobs", json={"type": "echo"}, headers=named), 403, "FM609")
        assert (await http.get("/health", headers=named)).status_code == 200
        world.open_to = Open.EVERYBODY
        assert (await http.get("/jobs", headers=named)).status_code == 200
        world.open_to = Open.HERE
        text = (await world.key("read"))["Authorization"].encode()
        assert (await http.get("/jobs", headers={**named, b"Authorization": text})).status_code == 200


async def test_the_first_key_closes_it_and_its_end_does_not_open_it(world: World, http: httpx.AsyncClient) -> None:
    await world.key("read")
    is_problem(await http.get("/jobs"), 401, "FM601")
    await world.client.access.revoke("web")
    world.clock.advance(AGE)
    is_problem(await http.get("/jobs"), 401, "FM601")
    await world.client.access.revoke("web", forget=True)
    world.clock.advance(AGE)
    assert (await http.get("/jobs")).status_code == 200


async def test_a_key_opens_and_is_noted(world: World, http: httpx.AsyncClient) -> None:
    key = await world.key("read")
    assert (await http.get("/jobs", headers=key)).status_code == 200
    assert (await http.head("/jobs", headers=key)).status_code == 200
    await turns()
    [kept] = await world.client.access.list()
    assert kept.last_used_at == world.clock.now()


async def test_the_scheme_is_read_as_rfc_9110_has_it(world: World, http: httpx.AsyncClient) -> None:
    text = (await world.key("read"))["Authorization"].removeprefix("Bearer ")
    assert (await http.get("/jobs", headers={"Authorization": f"bearer   {text}"})).status_code == 200


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz", "/openapi.json", "/docs"])
async def test_probes_and_the_document_need_no_key(world: World, http: httpx.AsyncClient, path: str) -> None:
    await world.key("read")
    assert (await http.get(path)).status_code == 200


async def test_a_rotated_key_opens_as_long_as_its_grace(world: World, http: httpx.AsyncClient) -> None:
    old = await world.key("read")
    issued = await world.client.access.rotate("web", 60)
    new = {"Authorization": f"Bearer {issued.text.reveal()}"}
    world.clock.advance(59)
    assert [(await http.get("/jobs", headers=key)).status_code for key in (old, new)] == [200, 200]
    world.clock.advance(1)
    assert [(await http.get("/jobs", headers=key)).status_code for key in (old, new)] == [401, 200]


async def test_answers_without_an_operation_need_no_key(world: World, http: httpx.AsyncClient) -> None:
    await world.key("read")
    assert (await http.options("/jobs")).status_code == 204
    is_problem(await http.get("/nowhere"), 404, "FM440")
    is_problem(await http.delete("/jobs"), 405, "FM405")


# -- scopes --------------------------------------------------------------------------------------


NEEDED = {
    **dict.fromkeys(("POST /jobs", "POST /jobs/batch", "POST /jobs/import"), Right.ENQUEUE),
    **dict.fromkeys(("GET /health", "GET /livez", "GET /readyz", "GET /openapi.json", "GET /docs")),
    **dict.fromkeys(("GET /session", "POST /session", "DELETE /session")),
}


def needed(operation: Operation) -> Right | None:
    """What is asked of callers by the kind of an operation."""
    named = f"{operation.method} {operation.path}"
    if operation.path.startswith("/api-keys"):
        return Right.ADMIN
    return NEEDED.get(named, Right.READ if operation.method == "GET" else Right.OPERATE)


async def test_every_operation_asks_for_its_scope(world: World) -> None:
    found = operations(world)
    assert len(found) > 40
    assert {f"{each.method} {each.path}": each.right for each in found} == {
        f"{each.method} {each.path}": needed(each) for each in found
    }


async def test_every_operation_lets_pass_whoever_has_its_scope_and_nobody_else(world: World) -> None:
    keys = {right: await world.key(right, name=right) for right in Right}
    async with talk(world.api) as http:
        for operation in operations(world):
            if operation.right is None:
                continue
            path = operation.path.replace("{id}", UNKNOWN).replace("{name}", "x").replace("{key:path}", "x")
            for right, key in keys.items():
                # a parameter that there is none of: who may pass gets an answer at once, of what never ends, too
                answer = await http.request(operation.method, f"{path}?unknown=1", headers=key)
                refused = answer.status_code == 403
                assert refused == (operation.right not in with_implied({right})), (operation.method, path, right)


async def test_the_scope_that_is_missing_is_named(world: World, http: httpx.AsyncClient) -> None:
    answer = await http.post("/jobs", json={"type": "echo"}, headers=await world.key("read", "work"))
    assert "enqueue" in is_problem(answer, 403, "FM603")["detail"]
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="enqueue"'


# -- rates ---------------------------------------------------------------------------------------


async def test_a_key_has_a_burst_and_then_its_rate(world: World, http: httpx.AsyncClient) -> None:
    key = await world.key("read", rate=0.5, burst=2)
    assert [(await http.get("/jobs", headers=key)).status_code for _ in range(3)] == [200, 200, 429]
    answer = await http.get("/jobs", headers=key)
    is_problem(answer, 429, "FM606")
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["ratelimit-policy"] == '"key";q=2;w=4'
    assert answer.headers["ratelimit"] == '"key";r=0;t=2'
    world.clock.advance(2)
    assert [(await http.get("/jobs", headers=key)).status_code for _ in range(2)] == [200, 429]
    assert (await http.get("/health", headers=key)).status_code == 200


async def test_the_rate_of_one_key_is_not_that_of_another(world: World, http: httpx.AsyncClient) -> None:
    one = await world.key("read", rate=0.1, burst=1)
    other, third = await world.key("read", name="b", rate=0.1, burst=1), await world.key("read", name="c")
    assert [(await http.get("/jobs", headers=one)).status_code for _ in range(2)] == [200, 429]
    assert (await http.get("/jobs", headers=other)).status_code == 200
    assert {(await http.get("/jobs", headers=third)).status_code for _ in range(5)} == {200}


async def test_a_wall_clock_that_jumps_gives_nobody_more(world: World, http: httpx.AsyncClient) -> None:
    key = await world.key("read", rate=0.1, burst=1)
    await http.get("/jobs", headers=key)
    world.clock.jump(3600)
    assert (await http.get("/jobs", headers=key)).status_code == 429


async def test_a_request_that_was_answered_is_not_left_to_the_garbage_collector(world: World) -> None:
    async with talk(world.api) as http:
        await http.get("/jobs")
        gc.collect()
        gc.disable()
        try:
            before = sum(type(each) is Request for each in gc.get_objects())
            for _ in range(10):
                await http.get("/jobs")
            assert sum(type(each) is Request for each in gc.get_objects()) == before
        finally:
            gc.enable()
