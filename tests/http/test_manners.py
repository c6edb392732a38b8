"""What holds on every path: methods, Accept, request ids, problems."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from ferryman.domain import errors
from ferryman.domain.errors import FerrymanError
from ferryman.http.problems import problem, status_of
from ferryman.store.protocol import NodeInfo, Store
from tests.http.world import MAX_BODY, UNKNOWN, Failing, World, is_problem, talk

pytestmark = pytest.mark.anyio

PATHS = {
    "/jobs": {"GET", "POST"},
    "/jobs/batch": {"POST"},
    "/jobs/import": {"POST"},
    "/jobs/retry": {"POST"},
    "/jobs/purge": {"POST"},
    f"/jobs/{UNKNOWN}": {"GET", "PATCH", "DELETE"},
    f"/jobs/{UNKNOWN}/attempts": {"GET"},
    f"/jobs/{UNKNOWN}/cancel": {"POST"},
    f"/jobs/{UNKNOWN}/retry": {"POST"},
    "/nodes": {"GET"},
    "/nodes/node-1": {"GET"},
    "/queues": {"GET"},
    "/queues/mail": {"GET"},
    "/queues/mail/pause": {"POST"},
    "/queues/mail/resume": {"POST"},
    "/queues/mail/limit": {"PUT", "DELETE"},
    "/types": {"GET"},
    "/health": {"GET"},
    "/livez": {"GET"},
    "/readyz": {"GET"},
    "/metrics": {"GET"},
}


def allowed(answer: httpx.Response) -> set[str]:
    return set(answer.headers["allow"].split(", "))


def methods(path: str) -> set[str]:
    return PATHS[path] | {"OPTIONS"} | ({"HEAD"} if "GET" in PATHS[path] else set())


@pytest.mark.parametrize("path", PATHS)
async def test_a_wrong_method_is_405_with_allow(http: httpx.AsyncClient, path: str) -> None:
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - methods(path):
        answer = await http.request(method, path)
        assert allowed(answer) == methods(path)
        if method == "HEAD":
            assert answer.status_code == 405
        else:
            is_problem(answer, 405, "FM405")


@pytest.mark.parametrize("path", PATHS)
async def test_options_tells_the_methods(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.options(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert allowed(answer) == methods(path)
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("path", [path for path, methods in PATHS.items() if "GET" in methods])
async def test_head_is_get_without_the_body(http: httpx.AsyncClient, path: str) -> None:
    got, head = await http.get(path), await http.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers == got.headers


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/job",
        "/jobs/",
        "/jobs//",
        f"/jobs/{UNKNOWN}/",
        f"/jobs/{UNKNOWN}/x",
        "/jobs//cancel",
        "/health/",
        "//jobs",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_an_unknown_path_is_404(http: httpx.AsyncClient, method: str, path: str) -> None:
    is_problem(await http.request(method, f"http://test{path}"), 404, "FM440")


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/*",
        "application/json",
        "APPLICATION/JSON",
        "text/html, application/xhtml+xml, */*;q=0.1",
        "application/json;q=0.5, text/plain",
        "text/plain;q=0, application/json; charset=utf-8",
        "",
    ],
)
async def test_json_is_acceptable_to_most(http: httpx.AsyncClient, accept: str) -> None:
    for path in ("/jobs", "/health"):
        answer = await http.get(path, headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "text/*",
        "application/xml",
        "application/json;q=0",
        "*/*;q=0",
        "application/json;q=no",
        "*/json",
        "*/*, application/json;q=0",
        "x",
    ],
)
async def test_not_acceptable_is_406_and_nothing_is_done(http: httpx.AsyncClient, accept: str) -> None:
    is_problem(await http.get("/jobs", headers={"accept": accept}), 406, "FM406")
    is_problem(await http.post("/jobs", json={"type": "echo"}, headers={"accept": accept}), 406, "FM406")
    assert (await http.get("/jobs")).json() == []


# -- request ids -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/jobs", "/nowhere", "/metrics", "/jobs?limit=x"])
async def test_a_request_id_is_echoed(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path, headers={"x-request-id": "abc-123_./:=+@"})
    assert answer.headers["x-request-id"] == "abc-123_./:=+@"


async def test_a_request_id_is_minted_if_there_is_none(http: httpx.AsyncClient) -> None:
    assert (await http.get("/jobs")).headers["x-request-id"] == "minted"


@pytest.mark.parametrize("unsafe", ["", "a b", "x" * 129, "a\tb", "<script>", 'a"b', "\u00e9", "a,b;c"])
async def test_an_unsafe_request_id_is_replaced(http: httpx.AsyncClient, unsafe: str) -> None:
    answer = await http.get("/jobs", headers={b"x-request-id": unsafe.encode("latin-1")})
    assert answer.headers["x-request-id"] == "minted"


# -- errors ------------------------------------------------------------------------------------------

EVERY_VERB = [
    ("POST", "/jobs"),
    ("GET", "/jobs"),
    ("GET", f"/jobs/{UNKNOWN}"),
    ("GET", f"/jobs/{UNKNOWN}/attempts"),
    ("POST", f"/jobs/{UNKNOWN}/cancel"),
    ("POST", f"/jobs/{UNKNOWN}/retry"),
    ("GET", "/nodes"),
    ("GET", "/nodes/node-1"),
    ("GET", "/queues"),
    ("GET", "/queues/mail"),
    ("GET", "/types"),
    ("GET", "/metrics"),
]


async def ask(http: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    return await http.request(method, path, json={"type": "echo"} if (method, path) == ("POST", "/jobs") else None)


@pytest.mark.parametrize(("method", "path"), EVERY_VERB)
@pytest.mark.parametrize(
    "kind", [errors.StoreBusy, errors.StoreFull, errors.StoreFailed, errors.StoreClosed, errors.NodeNotLive]
)
async def test_a_store_that_fails_is_503(world: World, kind: type[FerrymanError], method: str, path: str) -> None:
    async with talk(world.over(Failing(kind("The store is not well.", hint="Wait.")))) as http:
        answer = await ask(http, method, path)
        document = is_problem(answer, 503, kind.code)
        assert (document["detail"], document["hint"]) == ("The store is not well.", "Wait.")
        assert int(answer.headers["retry-after"]) >= 1


async def test_a_store_that_fails_is_logged_with_its_code(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "ferryman.http"):
        async with talk(world.over(Failing(errors.StoreFull("The disk is full.")))) as http:
            await http.get("/jobs")
    assert [vars(record)["code"] for record in caplog.records] == ["FM208"]


@pytest.mark.parametrize(("method", "path"), EVERY_VERB)
async def test_what_nobody_foresaw_is_a_problem_too(
    world: World, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    async with talk(world.over(Failing(ZeroDivisionError("secret")))) as http:
        document = is_problem(await ask(http, method, path), 500, "FM499")
    assert "minted" in document["detail"]
    assert "secret" not in json.dumps(document)
    [record] = [each for each in caplog.records if each.name == "ferryman.http"]
    assert vars(record)["request_id"] == "minted"
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def leaves(kind: type[FerrymanError]) -> list[type[FerrymanError]]:
    return [leaf for child in kind.__subclasses__() for leaf in (leaves(child) or [child])]


def test_every_error_has_a_status() -> None:
    arguments: dict[type[FerrymanError], dict[str, Any]] = {
        errors.UniqueKeyTaken: {"holder": UNKNOWN},
        errors.QueueFull: {"retry_after": 7},
        errors.TooManyRequests: {"retry_after": 7, "rate": 0.5, "burst": 2},
        errors.QuotaSpent: {"retry_after": 7, "quota": 100},
        errors.ScopeMissing: {"scope": "read"},
        errors.BadFilter: {"column": 1},
        errors.RemoteError: {"status": 502},
    }
    for kind in leaves(FerrymanError):
        error = kind("It went wrong.", **arguments.get(kind, {}))
        answer = problem(error)
        assert json.loads(answer.body)["code"] == kind.code
        assert answer.status == status_of(error)
        assert answer.status in {400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 415, 422, 429, 431, 500, 503}
        assert (answer.status in {429, 503}) == any(name == b"retry-after" for name, _ in answer.headers)


def test_the_table_of_statuses_in_the_docs_is_that_of_the_errors() -> None:
    page = (Path(__file__).parents[2] / "docs" / "http.md").read_text("utf-8")
    section = page.partition("\n## Errors\n")[2].partition("\n### ")[0]
    rows = [int(status) for status in re.findall(r"^\| (\d+) \| ", section, re.MULTILINE)]
    assert rows == sorted({status_of(kind.__new__(kind)) for kind in leaves(FerrymanError)})


def test_a_title_is_words() -> None:
    assert json.loads(problem(errors.WrongContentType("x")).body)["title"] == "Wrong content type"


def test_a_problem_can_tell_any_text() -> None:
    assert json.loads(problem(errors.StoreFailed("No such file: \udcff")).body)["detail"] == "No such file: \udcff"


class Counting:
    """A store that remembers what it was asked."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self.store, name)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/jobs/{}/attempts", ["get", "attempts"]),
        ("/nodes", ["nodes"]),
        ("/nodes/node-1", ["nodes"]),
        ("/queues", ["counts"]),
        ("/queues/q1", ["counts"]),
        ("/types", ["known_types", "nodes"]),
    ],
)
async def test_the_store_is_asked_as_often_however_much_there_is(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str, asked: list[str]
) -> None:
    job = (await http.post("/jobs", json={"type": "echo", "queue": "q1"})).json()["id"]
    for n in range(3):
        await http.post("/jobs", json={"type": "echo", "queue": f"q{n}"})
        info = NodeInfo(f"node-{n}", "host", 1, "0", frozenset({f"type-{n}"}), None, 1)
        await world.store.register(info, world.clock.now())
    await http.post(f"/jobs/{job}/cancel")
    await http.post(f"/jobs/{job}/retry")
    counting = Counting(world.store)
    monkeypatch.setattr(world.client, "_store", counting)
    answer = await http.get(path.format(job))
    assert (answer.status_code, counting.asked) == (200, asked)


# -- bodies, seen from below -------------------------------------------------------------------------


class Wire:
    """The server's side of one request: gives the body in pieces, keeps what is answered."""

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        headers: dict[str, str],
        *,
        method: str = "POST",
        path: str = "/jobs",
        last: int | None = None,
    ) -> None:
        """`last` is the number of the piece that ends the body; without it there is always more to come."""
        self._last = last
        self._given = 0
        self.sent: list[MutableMapping[str, Any]] = []
        self.read = 0
        self._pieces = pieces
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }

    async def receive(self) -> MutableMapping[str, Any]:
        try:
            piece = await anext(self._pieces)
        except StopAsyncIteration:
            return {"type": "http.disconnect"}
        self.read += len(piece)
        self._given += 1
        return {"type": "http.request", "body": piece, "more_body": self._given != self._last}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


async def endless(size: int) -> AsyncIterator[bytes]:
    while True:
        yield b"x" * size


async def cut_off(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def silent() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


JSON = {"content-type": "application/json"}


async def test_an_endless_body_is_413_and_not_read_to_its_end(world: World) -> None:
    wire = Wire(endless(65536), JSON)
    await world.api(wire.scope, wire.receive, wire.send)
    assert wire.status == 413
    assert json.loads(wire.sent[1]["body"])["code"] == "FM413"
    assert wire.headers[b"connection"] == b"close"
    assert wire.read < 5_000_000
    assert wire.sent[-1] == {"type": "http.response.body", "body": b""}


async def test_a_declared_length_over_the_bound_is_413_before_anything_is_read(world: World) -> None:
    read_before_the_answer: list[int] = []
    wire = Wire(endless(1_000_000), JSON | {"content-length": "1000000000000"})

    async def send(message: MutableMapping[str, Any]) -> None:
        read_before_the_answer.append(wire.read)
        await wire.send(message)

    await world.api(wire.scope, wire.receive, send)
    assert wire.status == 413
    assert read_before_the_answer[:2] == [0, 0]


@pytest.mark.parametrize(("extra", "status"), [(0, 201), (1, 413)])
async def test_the_bound_holds_without_a_declared_length(world: World, extra: int, status: int) -> None:
    body = b'{"type":"echo"}'
    wire = Wire(cut_off(body, b" " * (MAX_BODY - len(body) - 10), b" " * (10 + extra)), JSON, last=3)
    await world.api(wire.scope, wire.receive, wire.send)
    assert wire.status == status


@pytest.mark.parametrize("path", ["/jobs", "/health", "/nowhere"])
async def test_head_sends_no_body_whatever_the_server_would_do_with_it(world: World, path: str) -> None:
    wire = Wire(silent(), {}, method="HEAD", path=path)
    await world.api(wire.scope, wire.receive, wire.send)
    assert b"".join(message["body"] for message in wire.sent[1:]) == b""


async def test_the_answer_comes_before_the_wait_for_a_client_that_says_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.http.exchange.LINGER_SECONDS", 0)
    wire = Wire(silent(), JSON | {"content-length": "5000"})
    await world.api(wire.scope, wire.receive, wire.send)
    assert wire.status == 413
    assert wire.sent[-1]["body"] == b""


async def test_a_client_that_goes_away_is_not_answered_and_has_done_nothing(world: World) -> None:
    wire = Wire(cut_off(b'{"type": "echo"', b"}"), JSON)
    await world.api(wire.scope, wire.receive, wire.send)
    assert wire.sent == []
    assert await world.claim() == []


async def test_anything_but_http_is_left_alone(world: World) -> None:
    wire = Wire(silent(), {})
    await world.api({"type": "lifespan"}, wire.receive, wire.send)
    assert wire.sent == []


async def test_half_an_answer_is_never_followed_by_another(world: World) -> None:
    answered: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        answered.append(message)
        if message["type"] == "http.response.body":
            raise OSError("the connection broke")

    wire = Wire(silent(), {}, method="GET")
    with pytest.raises(OSError, match="the connection broke"):
        await world.api(wire.scope, wire.receive, send)
    assert [message["type"] for message in answered] == ["http.response.start", "http.response.body"]
