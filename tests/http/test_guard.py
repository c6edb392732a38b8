"""Who may pass: API keys, their scopes, their queues, their rates."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from ferryman.domain.access import ApiKey, Right, with_implied
from ferryman.domain.audit import Deed
from ferryman.domain.errors import StoreFailed
from ferryman.http.exchange import Request
from ferryman.http.keyring import AGE, Keyring
from ferryman.http.operation import Operation
from ferryman.store.access import Added
from ferryman.testing.clock import ManualClock
from tests.engine.world import turns
from tests.http.world import UNKNOWN, World, is_problem, talk

pytestmark = pytest.mark.anyio


class KeyStore:
    """Has keys, counts who asks for them, and fails when it is told to."""

    def __init__(self) -> None:
        self.keys: list[ApiKey] = []
        self.looks = 0
        self.used: list[Mapping[str, int]] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def api_keys(self) -> Sequence[ApiKey]:
        self.looks += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.keys

    async def use_api_keys(self, used: Mapping[str, int]) -> None:
        self.used.append(used)
        await self.gate.wait()
        if self.error is not None:
            raise self.error

    async def add_api_key(self, key: ApiKey, now: int, *, until: int | None = None, deed: Deed | None = None) -> Added:
        raise NotImplementedError

    async def end_api_keys(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> int:
        raise NotImplementedError

    async def drop_api_keys(self, ids: Sequence[str], *, deed: Deed | None = None) -> int:
        raise NotImplementedError


class Ring:
    """A keyring over such a store."""

    def __init__(self) -> None:
        self.store = KeyStore()
        self.clock = ManualClock()
        self.keyring = Keyring(self.store, self.clock)


@pytest.fixture
def ring() -> Ring:
    return Ring()


def api_key(id: str = "1", **more: Any) -> ApiKey:
    return ApiKey(id=id, name="web", digest="", rights=(Right.READ,), created_at=0, **more)


# -- the keys as a process knows them ------------------------------------------------------------


async def test_the_store_is_asked_once_a_second_at_most(ring: Ring) -> None:
    for _ in range(5):
        assert await ring.keyring.keys() == {}
    assert ring.store.looks == 1
    ring.store.keys = [api_key()]
    ring.clock.advance(AGE * 0.99)
    assert await ring.keyring.keys() == {}
    ring.clock.advance(AGE * 0.01)
    assert set(await ring.keyring.keys()) == {"1"}
    assert ring.store.looks == 2


async def test_those_who_come_meanwhile_share_a_look_however_long_it_takes(ring: Ring) -> None:
    ring.store.gate.clear()
    asking = [asyncio.create_task(ring.keyring.keys()) for _ in range(3)]
    await turns()
    ring.clock.advance(10 * AGE)
    asking.append(asyncio.create_task(ring.keyring.keys()))
    await turns()
    ring.store.gate.set()
    await asyncio.gather(*asking)
    assert ring.store.looks == 1


async def test_who_goes_away_takes_nobodys_look_along(ring: Ring) -> None:
    ring.store.gate.clear()
    gone, waits = asyncio.create_task(ring.keyring.keys()), asyncio.create_task(ring.keyring.keys())
    await turns()
    gone.cancel()
    ring.store.gate.set()
    assert await waits == {}


async def test_a_store_that_fails_is_not_asked_by_every_request(ring: Ring) -> None:
    ring.store.error = StoreFailed("It is broken.")
    for _ in range(3):
        with pytest.raises(StoreFailed):
            await ring.keyring.keys()
    assert ring.store.looks == 1
    ring.store.error = None
    ring.clock.advance(AGE)
    assert await ring.keyring.keys() == {}


async def test_the_last_use_is_written_once_a_minute(ring: Ring) -> None:
    key = api_key()
    for _ in range(3):
        ring.keyring.used(key)
        await turns()
    ring.clock.advance(59)
    ring.keyring.used(key)
    await turns()
    assert ring.store.used == [{"1": ring.clock.now() - 59_000_000}]
    ring.clock.advance(1)
    ring.keyring.used(key)
    await turns()
    assert len(ring.store.used) == 2


async def test_a_use_that_another_process_has_written_is_not_written_again(ring: Ring) -> None:
    ring.keyring.used(api_key(last_used_at=ring.clock.now() - 59_000_000))
    await turns()
    assert ring.store.used == []


async def test_nobody_waits_for_a_last_use_and_one_is_written_at_a_time(ring: Ring) -> None:
    ring.store.gate.clear()
    ring.keyring.used(api_key("1"))
    await turns()
    ring.keyring.used(api_key("2"))
    await turns()
    assert len(ring.store.used) == 1
    ring.store.gate.set()
    await turns()
    ring.keyring.used(api_key("2"))
    await turns()
    assert [list(each) for each in ring.store.used] == [["1"], ["2"]]


async def test_a_last_use_that_could_not_be_written_is_tried_again(ring: Ring) -> None:
    ring.store.error = StoreFailed("It is broken.")
    ring.keyring.used(api_key())
    await turns()
    ring.store.error = None
    ring.keyring.used(api_key())
    await turns()
    assert len(ring.store.used) == 2


# -- open and closed -----------------------------------------------------------------------------


async def test_without_any_key_everybody_may_everything_where_it_may_be_open(http: httpx.AsyncClient) -> None:
    assert (await http.post("/jobs", json={"type": "echo"})).status_code == 201
    assert (await http.get("/api-keys")).json() == []


async def test_without_any_key_nobody_may_anything_where_it_may_not(world: World, http: httpx.AsyncClient) -> None:
    world.may_be_open = False
    answer = await http.get("/jobs")
    is_problem(answer, 401, "FM601")
    assert answer.headers["www-authenticate"] == "Bearer"


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


async def test_a_store_that_cannot_be_read_lets_nobody_pass(world: World) -> None:
    store = KeyStore()
    store.error = StoreFailed("It is broken.")
    world.keyring = Keyring(store, world.clock)
    async with talk(world.over(world.client)) as http:
        is_problem(await http.get("/jobs"), 503, "FM209")
        assert (await http.get("/health")).status_code == 200


async def test_answers_without_an_operation_need_no_key(world: World, http: httpx.AsyncClient) -> None:
    await world.key("read")
    assert (await http.options("/jobs")).status_code == 204
    is_problem(await http.get("/nowhere"), 404, "FM440")
    is_problem(await http.delete("/jobs"), 405, "FM405")


# -- scopes --------------------------------------------------------------------------------------


def operations(world: World) -> list[Operation]:
    """Everything that can be done."""
    paths: Any = vars(world.over(world.client))["_app"]
    return list(paths.operations)


NEEDED = {
    **dict.fromkeys(("POST /jobs", "POST /jobs/batch", "POST /jobs/import"), Right.ENQUEUE),
    **dict.fromkeys(("GET /health", "GET /livez", "GET /readyz", "GET /openapi.json", "GET /docs")),
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
                answer = await http.request(operation.method, path, headers=key)
                refused = answer.status_code == 403
                assert refused == (operation.right not in with_implied({right})), (operation.method, path, right)


async def test_the_scope_that_is_missing_is_named(world: World, http: httpx.AsyncClient) -> None:
    answer = await http.post("/jobs", json={"type": "echo"}, headers=await world.key("read", "work"))
    assert "enqueue" in is_problem(answer, 403, "FM603")["detail"]
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="enqueue"'


# -- queues --------------------------------------------------------------------------------------


@pytest.fixture
async def limited(world: World) -> dict[str, str]:
    """The key of somebody who is limited to the queue mail."""
    return await world.key("enqueue", "operate", queues=["mail"])


@pytest.fixture
async def everything(world: World) -> dict[str, str]:
    """The key of somebody who is not."""
    return await world.key("admin", name="admin")


async def made(http: httpx.AsyncClient, key: dict[str, str], **body: Any) -> str:
    """A new job's id."""
    answer = await http.post("/jobs", json={"type": "echo", **body}, headers=key)
    assert answer.status_code == 201, answer.text
    id: str = answer.json()["id"]
    return id


async def test_a_limited_key_enqueues_into_its_queues_alone(http: httpx.AsyncClient, limited: dict[str, str]) -> None:
    await made(http, limited, queue="mail")
    other = await http.post("/jobs", json={"type": "echo", "queue": "letters"}, headers=limited)
    assert is_problem(other, 403, "FM604")["errors"][0]["pointer"] == "/queue"
    unsaid = await http.post("/jobs", json={"type": "echo"}, headers=limited)
    assert "default" in is_problem(unsaid, 403, "FM604")["detail"], "the queue of its type"


async def test_a_limited_key_hands_in_batches_for_its_queues_alone(
    world: World, http: httpx.AsyncClient, limited: dict[str, str]
) -> None:
    jobs = [{"type": "echo", "queue": "mail"}, {"type": "echo"}]
    all_or_none = await http.post("/jobs/batch", json={"jobs": jobs}, headers=limited)
    assert "/jobs/1" in is_problem(all_or_none, 403, "FM604")["detail"]
    each = await http.post("/jobs/batch", json={"jobs": jobs, "atomic": False}, headers=limited)
    [stored, refused] = each.json()["jobs"]
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("FM604", "/jobs/1/queue")
    listed = (await http.get("/jobs", headers=limited)).json()
    assert [job["id"] for job in listed] == [stored["id"]]


async def test_a_limited_key_imports_into_its_queues_alone(http: httpx.AsyncClient, limited: dict[str, str]) -> None:
    lines = b'{"type":"echo","queue":"mail"}\n{"type":"echo"}\n'
    headers = {**limited, "Content-Type": "application/x-ndjson"}
    answer = await http.post("/jobs/import", content=lines, headers=headers)
    told = is_problem(answer, 403, "FM604")
    assert (told["imported"], told["line"]) == (1, 2)


async def test_a_limited_key_sees_its_queues_alone(
    http: httpx.AsyncClient, limited: dict[str, str], everything: dict[str, str]
) -> None:
    own = await made(http, everything, queue="mail")
    await made(http, everything)
    for query in ("", "?queue=mail", "?filter=type:e*", "?filter=-queue:default", "?filter=queue:mail"):
        listed = await http.get(f"/jobs{query}", headers=limited)
        assert [job["id"] for job in listed.json()] == [own]
    assert (await http.get("/jobs?filter=-queue:mail", headers=limited)).json() == []
    for query in ("?queue=default", "?queue=mail&queue=default", "?filter=queue:default", "?filter=queue:mail,default"):
        is_problem(await http.get(f"/jobs{query}", headers=limited), 403, "FM604")
    queues = await http.get("/queues", headers=limited)
    assert [each["queue"] for each in queues.json()] == ["mail"]
    assert (await http.get("/queues/mail", headers=limited)).json()["pending"] == 1
    is_problem(await http.get("/queues/default", headers=limited), 403, "FM604")


ONE_JOB = [
    ("GET", ""),
    ("GET", "/attempts"),
    ("GET", "/logs"),
    ("GET", "/progress"),
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "/cancel"),
    ("POST", "/retry"),
]


@pytest.mark.parametrize(("method", "below"), ONE_JOB)
async def test_a_job_of_another_queue_is_as_if_it_were_not_there(
    world: World, http: httpx.AsyncClient, limited: dict[str, str], everything: dict[str, str], method: str, below: str
) -> None:
    own, other = await made(http, everything, queue="mail"), await made(http, everything)
    if below == "/retry" or method == "DELETE":
        for id in (own, other):
            await http.post(f"/jobs/{id}/cancel", headers=everything)
    body: dict[str, Any] = {"json": {"priority": 1}} if method == "PATCH" else {}

    async def told(id: str) -> Any:
        answer = await http.request(method, f"/jobs/{id}{below}", headers=limited, **body)
        return is_problem(answer, 404, "FM404") if answer.status_code == 404 else answer.status_code

    before = await world.client.get(other)
    assert await told(own) == (204 if method == "DELETE" else 200)
    assert json.dumps(await told(other)).replace(other, UNKNOWN) == json.dumps(await told(UNKNOWN))
    assert await world.client.get(other) == before


async def test_a_limited_key_moves_no_job_out_of_its_queues(
    http: httpx.AsyncClient, limited: dict[str, str], everything: dict[str, str]
) -> None:
    own = await made(http, everything, queue="mail")
    is_problem(await http.patch(f"/jobs/{own}", json={"queue": "letters"}, headers=limited), 403, "FM604")
    assert (await http.patch(f"/jobs/{own}", json={"queue": "mail"}, headers=limited)).status_code == 200


async def test_a_limited_key_rules_over_its_queues_alone(http: httpx.AsyncClient, limited: dict[str, str]) -> None:
    for method, below, body in (
        ("POST", "pause", None),
        ("POST", "resume", None),
        ("PUT", "limit", {"concurrency": 1}),
        ("DELETE", "limit", None),
    ):
        own = await http.request(method, f"/queues/mail/{below}", headers=limited, json=body or {})
        assert own.status_code == 200, own.text
        other = await http.request(method, f"/queues/default/{below}", headers=limited, json=body or {})
        is_problem(other, 403, "FM604")


async def test_a_job_of_another_queue_that_has_the_unique_key_is_not_shown(
    http: httpx.AsyncClient, limited: dict[str, str], everything: dict[str, str]
) -> None:
    await made(http, everything, unique_key="k", payload={"secret": 1})
    body = {"type": "echo", "queue": "mail", "unique_key": "k", "on_conflict": "return"}
    answer = await http.post("/jobs", json=body, headers=limited)
    is_problem(answer, 403, "FM604")
    assert "secret" not in answer.text


async def test_an_idempotency_key_names_one_request_whoever_sends_it(
    http: httpx.AsyncClient, limited: dict[str, str], everything: dict[str, str]
) -> None:
    body = {"type": "echo", "queue": "mail"}
    answers = [
        await http.post("/jobs", json=body, headers={**key, "Idempotency-Key": "order-1"})
        for key in (limited, everything)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]


BY_QUEUE = {
    "POST /jobs",
    "POST /jobs/batch",
    "POST /jobs/import",
    "GET /jobs",
    "GET /jobs/{id}",
    "PATCH /jobs/{id}",
    "DELETE /jobs/{id}",
    "GET /jobs/{id}/attempts",
    "GET /jobs/{id}/events",
    "GET /jobs/{id}/logs",
    "GET /jobs/{id}/progress",
    "POST /jobs/{id}/cancel",
    "POST /jobs/{id}/retry",
    "GET /queues",
    "GET /queues/{name}",
    "POST /queues/{name}/pause",
    "POST /queues/{name}/resume",
    "PUT /queues/{name}/limit",
    "DELETE /queues/{name}/limit",
}


async def test_what_does_not_look_at_queues_is_not_for_limited_keys(world: World) -> None:
    found = operations(world)
    assert {f"{each.method} {each.path}" for each in found if each.by_queue} == BY_QUEUE
    key = await world.key("admin", queues=["mail"])
    async with talk(world.api) as http:
        for operation in found:
            if operation.right is not None and not operation.by_queue:
                path = operation.path.replace("{id}", UNKNOWN).replace("{name}", "x").replace("{key:path}", "x")
                is_problem(await http.request(operation.method, path, headers=key), 403, "FM604")


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


# -- the paths -----------------------------------------------------------------------------------


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
    assert (await http.post("/api-keys", json={"name": "web", "scopes": ["admin"]})).status_code == 201
    is_problem(await http.post("/api-keys", json={"name": "web", "scopes": ["admin"]}), 409, "FM608")


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
