"""What attackers send, in one table: all of it is refused, changes nothing, and tells nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import httpx
import msgspec
import pytest
from starlette.types import ASGIApp

from ferryman.client import JobRequest
from ferryman.domain.errors import TooManyRequests
from ferryman.http.keyring import AGE
from ferryman.http.openness import Open
from ferryman.store.protocol import JobFilter
from tests.http.world import UNKNOWN, World, is_problem, talk

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}
JOB = b'{"type": "echo", "queue": "mail"}'
SECRET = "do-not-tell"
LONG = "9" * 40
DEEP = b'{"a": %s%s}' % (b"[" * 99, b"]" * 99)


class Case(msgspec.Struct, frozen=True):
    """A request, and how it is refused."""

    method: str
    path: str
    """As it stands in the request line; {other} is a job of the queue letters, {own} one of mail."""
    status: int
    code: str
    key: str | None = "operator"
    """Whose key it shows; as it is, where nobody has that name."""
    body: bytes = b""
    headers: Mapping[str, str] = {}


def post(status: int, code: str, **more: Any) -> Case:
    """A job handed in."""
    return Case("POST", "/jobs", status, code, **{"body": JOB, "headers": JSON, **more})


def of_site(**headers: str) -> Case:
    """What a page of another site has a browser send, whoever is logged in there."""
    return post(403, "FM605", key="writer", headers={**JSON, **headers})


def by_cookie(name: str, **headers: str) -> dict[str, Any]:
    """What a browser sends of whoever has signed in; here it says so much of the page."""
    return {"key": None, "headers": {**JSON, "Cookie": f"ferryman={{{name}}}", **headers}}


def signing_in(status: int, code: str, body: bytes, **headers: str) -> Case:
    """A page at which somebody gives their key."""
    return Case(
        "POST", "/session", status, code, key=None, body=body, headers={**JSON, "Origin": "http://test", **headers}
    )


CASES = {
    # no key, and what is none
    "no key": Case("GET", "/jobs", 401, "FM601", key=None),
    "no key, to write": post(401, "FM601", key=None),
    "no key, for metrics": Case("GET", "/metrics", 401, "FM601", key=None),
    "an empty key": Case("GET", "/jobs", 401, "FM602", key=""),
    "another scheme": Case("GET", "/jobs", 401, "FM602", key=None, headers={"Authorization": "Basic d2ViOndlYg=="}),
    "a key in the query": Case("GET", "/jobs?key={operator}", 401, "FM601", key=None),
    "a cookie": Case("GET", "/jobs", 401, "FM601", key=None, headers={"Cookie": "key={operator}"}),
    "half a key": Case("GET", "/jobs", 401, "FM602", key="ferryman_0001020304050607"),
    "an unknown key": Case("GET", "/jobs", 401, "FM602", key=f"ferryman_{'0' * 16}_{'A' * 43}"),
    "the id of a key with another secret": Case("GET", "/jobs", 401, "FM602", key="{forged}"),
    "the hash instead of the secret": Case("GET", "/jobs", 401, "FM602", key="{hash}"),
    "a key that has expired": Case("GET", "/jobs", 401, "FM602", key="expired"),
    "a key that was revoked": Case("GET", "/jobs", 401, "FM602", key="revoked"),
    "bytes that are no text": Case("GET", "/jobs", 401, "FM602", key="\xff\xfe"),
    # another scope
    "a reader who writes": post(403, "FM603", key="reader"),
    "a reader who cancels": Case("POST", "/jobs/{own}/cancel", 403, "FM603", key="reader"),
    "a writer who reads": Case("GET", "/jobs", 403, "FM603", key="writer"),
    "a writer who reads the metrics": Case("GET", "/metrics", 403, "FM603", key="writer"),
    "an operator who makes a key": Case(
        "POST", "/api-keys", 403, "FM603", body=b'{"name": "me", "scopes": ["admin"]}', headers=JSON
    ),
    "an operator who looks at keys": Case("GET", "/api-keys", 403, "FM603"),
    # another queue
    "a job into another queue": post(403, "FM604", key="limited", body=b'{"type": "echo", "queue": "letters"}'),
    "a job into the queue of its type": post(403, "FM604", key="limited", body=b'{"type": "echo"}'),
    "a list of another queue": Case("GET", "/jobs?queue=letters", 403, "FM604", key="limited"),
    "a job of another queue": Case("GET", "/jobs/{other}", 404, "FM404", key="limited"),
    "a cancel in another queue": Case("POST", "/jobs/{other}/cancel", 404, "FM404", key="limited"),
    "a job out of its queue": Case(
        "PATCH", "/jobs/{own}", 403, "FM604", key="limited", body=b'{"queue": "letters"}', headers=JSON
    ),
    "a job of another queue into one's own": Case(
        "PATCH", "/jobs/{other}", 404, "FM404", key="limited", body=b'{"queue": "mail"}', headers=JSON
    ),
    "a pause of another queue": Case("POST", "/queues/letters/pause", 403, "FM604", key="limited"),
    "a purge": Case("POST", "/jobs/purge", 403, "FM604", key="limited", body=b"{}", headers=JSON),
    "all queues' schedules": Case("GET", "/schedules", 403, "FM604", key="limited"),
    # more than was allowed
    "a job beyond the quota": post(429, "FM611", key="spent"),
    "jobs beyond the quota": Case(
        "POST", "/jobs/batch", 429, "FM611", key="spent", body=b'{"jobs": [{"type": "echo"}]}', headers=JSON
    ),
    "lines beyond the quota": Case(
        "POST", "/jobs/import", 429, "FM611", key="spent", body=JOB, headers={"Content-Type": "application/x-ndjson"}
    ),
    # what pages of other sites send
    "a form": post(415, "FM415", key="writer", headers={"Content-Type": "text/plain"}),
    "a form with its own type": post(415, "FM415", key="writer", headers={"Content-Type": "multipart/form-data"}),
    "a page of another site": of_site(**{"Sec-Fetch-Site": "cross-site"}),
    "a page of a sibling": of_site(**{"Sec-Fetch-Site": "same-site"}),
    "another origin": of_site(Origin="https://evil.example"),
    "another port": of_site(Origin="http://test:8081"),
    "no origin to speak of": of_site(Origin="null"),
    "another site without a body": Case(
        "POST", "/jobs/{own}/cancel", 403, "FM605", headers={"Sec-Fetch-Site": "cross-site"}
    ),
    "another site without a key": post(403, "FM605", key=None, headers={**JSON, "Origin": "https://evil.example"}),
    # what they have a browser send that keeps a cookie
    "a cookie of another port": Case(
        "GET", "/jobs", 401, "FM601", key=None, headers={"Cookie": "ferryman-8080={reader}"}
    ),
    "a forged cookie": Case("GET", "/jobs", 401, "FM602", **by_cookie("forged")),
    "the hash in a cookie": Case("GET", "/jobs", 401, "FM602", **by_cookie("hash")),
    "a cookie with a key that has expired": Case("GET", "/jobs", 401, "FM602", **by_cookie("expired")),
    "a cookie with a key that was revoked": Case("GET", "/jobs", 401, "FM602", **by_cookie("revoked")),
    "a cookie that says nothing": Case("GET", "/jobs", 401, "FM602", key=None, headers={"Cookie": "ferryman="}),
    "a header that opens nothing beside a cookie that does": Case(
        "GET", "/jobs", 401, "FM602", key="{forged}", headers={"Cookie": "ferryman={reader}"}
    ),
    "a cookie's reader who writes": post(403, "FM603", **by_cookie("reader", Origin="http://test")),
    "a cookie's job into another queue": post(
        403, "FM604", **by_cookie("limited", Origin="http://test"), body=b'{"type": "echo", "queue": "letters"}'
    ),
    "a cookie's job beyond the quota": post(429, "FM611", **by_cookie("spent", Origin="http://test")),
    "a change by a cookie that nobody accounts for": post(403, "FM605", **by_cookie("writer")),
    "a change by a cookie for another site": post(
        403, "FM605", **by_cookie("writer", **{"Sec-Fetch-Site": "cross-site"})
    ),
    "a change by a cookie for a sibling": post(403, "FM605", **by_cookie("writer", **{"Sec-Fetch-Site": "same-site"})),
    "a change by a cookie for no page": post(403, "FM605", **by_cookie("writer", **{"Sec-Fetch-Site": "none"})),
    "a change by a cookie for another origin": post(403, "FM605", **by_cookie("writer", Origin="https://evil.example")),
    "a change by a cookie for another port": post(403, "FM605", **by_cookie("writer", Origin="http://test:8081")),
    "a change by a cookie for an origin that is hidden": post(403, "FM605", **by_cookie("writer", Origin="null")),
    "a change by a cookie without a body": Case("POST", "/jobs/{own}/cancel", 403, "FM605", **by_cookie("operator")),
    "a look by a cookie for a sibling": Case(
        "GET", "/jobs", 403, "FM605", **by_cookie("reader", **{"Sec-Fetch-Site": "same-site"})
    ),
    "a look by a cookie for another origin": Case(
        "GET", "/jobs", 403, "FM605", **by_cookie("reader", Origin="http://test:8081")
    ),
    "a stream by a cookie for another site": Case(
        "GET", "/events", 403, "FM605", **by_cookie("reader", **{"Sec-Fetch-Site": "cross-site"})
    ),
    "signing somebody out": Case("DELETE", "/session", 403, "FM605", **by_cookie("reader")),
    "signing somebody in": signing_in(403, "FM605", b'{"key": "{writer}"}', Origin="https://evil.example"),
    "signing in by a form": signing_in(415, "FM415", b'{"key": "{writer}"}', **{"Content-Type": "text/plain"}),
    "signing in with a key in the query": Case("GET", "/session?key={reader}", 400, "FM401", key=None),
    "signing in with half a key": signing_in(401, "FM602", b'{"key": "ferryman_0001020304050607"}'),
    "signing in with a forged key": signing_in(401, "FM602", b'{"key": "{forged}"}'),
    "signing in with a key that was revoked": signing_in(401, "FM602", b'{"key": "{revoked}"}'),
    "signing in with a line in a key": signing_in(401, "FM602", b'{"key": "{writer}\\r\\nSet-Cookie: a=b"}'),
    "signing in with attributes in a key": signing_in(401, "FM602", b'{"key": "{writer}; Domain=example"}'),
    "signing in with no key": signing_in(422, "FM422", b"{}"),
    "signing in with a list": signing_in(422, "FM422", b'{"key": ["{writer}"]}'),
    "signing in with a member too many": signing_in(422, "FM422", b'{"key": "{writer}", "for": "{writer}"}'),
    "signing in with broken JSON": signing_in(400, "FM400", b'{"key": "{writer}"'),
    "signing in with a key twice": signing_in(400, "FM308", b'{"key": "{writer}", "key": "{reader}"}'),
    # ways around the paths
    "dots after what is open": Case("GET", "/health/../api-keys", 404, "FM440"),
    "encoded dots": Case("GET", "/health/%2e%2e/api-keys", 404, "FM440"),
    "two slashes": Case("GET", "//api-keys", 404, "FM440"),
    "a slash at the end": Case("GET", "/api-keys/", 404, "FM440"),
    "other letters": Case("GET", "/API-KEYS", 404, "FM440"),
    "encoded letters": Case("GET", "/api%2dkeys", 403, "FM603"),
    "a file": Case("GET", "/queues/..%2f..%2fetc%2fpasswd", 404, "FM440"),
    "a file behind a key": Case("GET", "/keys/../../etc/passwd", 404, "FM418"),
    "NUL": Case("GET", "/jobs/%00", 404, "FM404"),
    "another method": Case("TRACE", "/jobs", 405, "FM405"),
    # headers in headers
    "a line in an id": Case("GET", "/jobs/x%0d%0aSet-Cookie:%20a=b", 404, "FM404"),
    "a line in a parameter": Case("GET", "/jobs?cursor=%0d%0aSet-Cookie:%20a=b", 400, "FM401"),
    "a line in a name": Case("POST", "/queues/x%0d%0aSet-Cookie:%20a=b/pause", 422, "FM311"),
    "a line in a request's name": Case(
        "GET", "/api-keys", 403, "FM603", headers={"X-Request-Id": "a\r\nSet-Cookie: a=b"}
    ),
    "a line in an idempotency key": post(
        400, "FM401", key="writer", headers={**JSON, "Idempotency-Key": "a\r\nSet-Cookie: a=b"}
    ),
    # nothing is cut to what would be allowed
    "too long a page": Case("GET", "/jobs?limit=10001", 400, "FM401"),
    "a page below 1": Case("GET", "/jobs?limit=0", 400, "FM401"),
    "a page that is no number": Case("GET", f"/jobs?limit={LONG}", 400, "FM401"),
    "another priority": post(422, "FM422", key="writer", body=b'{"type": "echo", "priority": 10}'),
    "a priority below 0": post(422, "FM422", key="writer", body=b'{"type": "echo", "priority": -1}'),
    "too many attempts": post(422, "FM422", key="writer", body=b'{"type": "echo", "max_attempts": 1000000000}'),
    "a delay of ages": post(422, "FM422", key="writer", body=b'{"type": "echo", "delay": 1e300}'),
    "a number beyond 64 bits": post(400, "FM307", key="writer", body=b'{"type": "echo", "delay": %s}' % LONG.encode()),
    "a body beyond MAX_BODY": post(413, "FM413", key="writer", body=b'{"type": "%s"}' % (b"x" * 5000)),
    "too deep": post(400, "FM309", key="writer", body=b'{"type": "echo", "payload": %s}' % DEEP),
    "a member twice": post(400, "FM308", key="writer", body=b'{"type": "echo", "queue": "mail", "queue": "letters"}'),
}


async def ask(
    api: ASGIApp, method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes
) -> httpx.Response:
    """Ask as a server does: no client makes the path better before it is sent."""
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "query_string": query.encode(),
        "headers": [(b"host", b"test"), *((name.lower().encode(), value.encode("latin-1")) for name, value in headers)],
    }
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        said.append(message)

    await api(scope, receive, send)
    start, *rest = said
    return httpx.Response(start["status"], headers=start["headers"], content=b"".join(each["body"] for each in rest))


class Fort:
    """An API with keys of several kinds, and jobs that are none of everybody's business."""

    def __init__(self) -> None:
        self.world = World()
        self.names: dict[str, str] = {}
        self.texts: list[str] = []

    async def build(self) -> None:
        """Make keys and jobs."""
        now = self.world.clock.now()
        await self._key("admin", "admin")
        await self._key("reader", "read")
        await self._key("writer", "enqueue")
        await self._key("operator", "operate")
        await self._key("limited", "enqueue", "operate", queues=["mail"])
        await self._key("expired", "admin", expires_at=now + 1)
        await self._key("revoked", "admin")
        await self.world.client.access.revoke("revoked")
        operator = self.names["operator"]
        [key] = [each for each in await self.world.client.access.list() if each.name == "operator"]
        self.names["forged"] = f"{operator[:-1]}{'B' if operator[-1] == 'A' else 'A'}"
        self.names["hash"] = f"ferryman_{key.id}_{key.digest[:43]}"
        for name, queue in (("own", "mail"), ("other", "letters")):
            request = JobRequest("echo", f'{{"token": "{SECRET}"}}', queue=queue)
            self.names[name] = (await self.world.client.enqueue(request)).id
        await self._key("spent", "enqueue", quota=1)
        self.world.clock.advance(AGE)
        assert (await self.send(post(201, "", key="spent"))).status_code == 201

    async def _key(self, name: str, *scopes: str, **more: Any) -> None:
        issued = await self.world.client.access.add(name, scopes, **more)
        self.names[name] = issued.text.reveal()
        self.texts.append(issued.text.reveal())

    async def send(self, case: Case) -> httpx.Response:
        """Send what a case says, byte for byte."""
        headers = [(name, self._said(value)) for name, value in case.headers.items()]
        if case.key is not None:
            headers.append(("Authorization", f"Bearer {self.names.get(case.key) or self._said(case.key)}"))
        path, _, query = self._said(case.path).partition("?")
        return await ask(self.world.api, case.method, path, query, headers, self._said(case.body.decode()).encode())

    async def state(self) -> object:
        """Everything that a request could change."""
        store, now = self.world.store, self.world.clock.now()
        keys = [msgspec.structs.replace(key, last_used_at=None) for key in await store.api_keys()]
        return await store.list(JobFilter(), now), await store.rules(), keys, await store.schedules()

    def _said(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text


@pytest.fixture
async def fort() -> Fort:
    fort = Fort()
    await fort.build()
    return fort


@pytest.mark.parametrize("name", CASES)
async def test_it_is_refused(fort: Fort, name: str, caplog: pytest.LogCaptureFixture) -> None:
    case = CASES[name]
    before = await fort.state()
    with caplog.at_level(logging.DEBUG):
        answer = await fort.send(case)
    is_problem(answer, case.status, case.code)
    assert await fort.state() == before
    told = f"{answer.text} {answer.headers} {caplog.text}"
    assert SECRET not in told
    assert not any(text in told for text in fort.texts)
    assert "set-cookie" not in answer.headers
    assert not any(name.startswith("access-control-") for name in answer.headers)
    assert (answer.status_code == 401) == answer.headers.get("www-authenticate", "").startswith("Bearer") or (
        case.code == "FM603"
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/jobs"),
        ("GET", f"/jobs/{UNKNOWN}/events"),
        ("GET", "/metrics"),
        ("POST", "/jobs"),
        ("POST", "/jobs/import"),
        ("POST", "/api-keys"),
    ],
)
async def test_a_site_that_has_its_name_point_here_is_refused_where_nobody_needs_a_key(method: str, path: str) -> None:
    world = World()
    world.open_to = Open.HERE
    evil = {"Host": "evil.example:8080", "Origin": "http://evil.example:8080", "Sec-Fetch-Site": "same-origin"}
    async with talk(world.api) as http:
        is_problem(await http.request(method, path, headers=JSON | evil, content=JOB), 403, "FM609")
    assert list(await world.store.list(JobFilter(), world.clock.now())) == []
    assert await world.store.api_keys() == []


async def test_unknown_expired_and_revoked_keys_are_told_the_same(fort: Fort) -> None:
    names = [name for name, case in CASES.items() if case.code == "FM602"]
    answers = [await fort.send(CASES[name]) for name in names]
    assert len(names) > 5
    assert len({answer.text for answer in answers}) == 1
    assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1


async def test_a_key_that_comes_twice_is_refused(fort: Fort) -> None:
    pairs = [("Authorization", f"Bearer {fort.names[name]}") for name in ("reader", "admin")]
    async with talk(fort.world.api) as http:
        is_problem(await http.get("/jobs", headers=pairs), 401, "FM602")


async def test_the_same_requests_by_those_who_may_are_answered(fort: Fort) -> None:
    """Or else the table would prove nothing."""

    for case, status in (
        (Case("GET", "/jobs", 0, "", key="reader"), 200),
        (Case("GET", "/metrics", 0, "", key="reader"), 200),
        (post(0, "", key="writer"), 201),
        (post(0, "", key="limited"), 201),
        (post(0, "", key="writer", headers={**JSON, "Sec-Fetch-Site": "same-origin"}), 201),
        (post(0, "", key="writer", headers={**JSON, "Sec-Fetch-Site": "none"}), 201),
        (post(0, "", key="writer", headers={**JSON, "Origin": "http://test"}), 201),
        (Case("GET", "/jobs", 0, "", key="reader", headers={"Sec-Fetch-Site": "cross-site"}), 200),
        (Case("GET", "/jobs/{own}", 0, "", key="limited"), 200),
        (Case("POST", "/jobs/{own}/cancel", 0, "", key="limited"), 200),
        (Case("GET", "/api-keys", 0, "", key="admin"), 200),
        (Case("GET", "/jobs", 0, "", **by_cookie("reader")), 200),
        (Case("GET", "/jobs", 0, "", **by_cookie("reader", **{"Sec-Fetch-Site": "none"})), 200),
        (Case("GET", "/jobs", 0, "", **by_cookie("reader", **{"Sec-Fetch-Site": "same-origin"})), 200),
        (post(0, "", **by_cookie("writer", **{"Sec-Fetch-Site": "same-origin"})), 201),
        (post(0, "", **by_cookie("writer", Origin="http://test")), 201),
        (post(0, "", key="writer", headers={**JSON, "Cookie": "ferryman={reader}"}), 201),
        (signing_in(0, "", b'{"key": "{reader}"}'), 200),
        (Case("DELETE", "/session", 0, "", **by_cookie("reader", Origin="http://test")), 204),
    ):
        assert (await fort.send(case)).status_code == status, case


async def test_what_is_listed_has_no_secret_in_it(fort: Fort) -> None:
    listed = await fort.send(Case("GET", "/api-keys", 0, "", key="admin"))
    assert not any(text[-43:] in listed.text for text in fort.texts)
    assert "digest" not in listed.text


async def test_a_key_that_asks_too_often_has_to_wait(fort: Fort) -> None:
    await fort._key("fast", "read", rate=0.01, burst=1)
    fort.world.clock.advance(AGE)
    assert (await fort.send(Case("GET", "/jobs", 0, "", key="fast"))).status_code == 200
    refused = await fort.send(Case("GET", "/jobs", 0, "", key="fast"))
    is_problem(refused, 429, TooManyRequests.code)


async def test_an_unknown_id_costs_the_store_nothing(fort: Fort, monkeypatch: pytest.MonkeyPatch) -> None:
    await fort.send(Case("GET", f"/jobs/{UNKNOWN}", 0, ""))

    async def looked() -> None:
        raise AssertionError("The store was asked.")

    monkeypatch.setattr(fort.world.store, "api_keys", looked)
    for _ in range(10):
        is_problem(await fort.send(CASES["an unknown key"]), 401, "FM602")
