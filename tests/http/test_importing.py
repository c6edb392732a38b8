"""POST /jobs/import."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable, MutableMapping
from typing import Any

import httpx
import pytest

from ferryman.domain.errors import StoreFailed
from ferryman.http import importing
from tests.http.world import MAX_BODY, UNKNOWN, World, is_problem, talk

pytestmark = pytest.mark.anyio

LINES = {"content-type": "application/x-ndjson"}
PROGRESS = ("imported", "line", "refused", "next", "unsure")


def echo(n: int, **options: Any) -> bytes:
    return json.dumps({"type": "echo", "payload": {"n": n}, **options}).encode()


def echoes(numbers: Iterable[int]) -> bytes:
    return b"".join(echo(n) + b"\n" for n in numbers)


async def send(http: httpx.AsyncClient, body: bytes | AsyncIterator[bytes], query: str = "") -> httpx.Response:
    return await http.post(f"/jobs/import{query}", content=body, headers=LINES)


async def numbers(http: httpx.AsyncClient) -> list[int]:
    return [job["payload"]["n"] for job in (await http.get("/jobs?limit=10000")).json()]


def progress(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in PROGRESS}


class Stream:
    """The server's side of one import: gives pieces as they are asked for, keeps what is answered."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self.read = 0
        self.sent: list[MutableMapping[str, Any]] = []
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": "/jobs/import",
            "query_string": b"",
            "headers": [(b"content-type", b"application/x-ndjson")],
        }

    async def receive(self) -> MutableMapping[str, Any]:
        try:
            piece = await anext(self._pieces)
        except StopAsyncIteration:
            return {"type": "http.disconnect"}
        self.read += len(piece)
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.sent[1]["body"])
        return found


async def those(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def then_nothing(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    await asyncio.Event().wait()


# -- what is taken -----------------------------------------------------------------------------------


async def test_every_line_becomes_a_job_in_order(http: httpx.AsyncClient) -> None:
    body = echoes(range(2500))
    assert len(body) > 10 * MAX_BODY
    answer = await send(http, body)
    assert (answer.status_code, answer.json()) == (200, {"imported": 2500})
    assert answer.headers["content-type"] == "application/json"
    assert await numbers(http) == list(range(2500))


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
async def test_lines_may_end_in_many_ways_and_come_in_pieces_of_any_size(http: httpx.AsyncClient, size: int) -> None:
    body = b"\n\r\n" + echo(1) + b"\r\n  \n\t" + echo(2, tags=["\u00e4"]) + b" \n\n" + echo(3)
    answer = await send(http, those(*(body[at : at + size] for at in range(0, len(body), size))))
    assert (answer.status_code, answer.json()) == (200, {"imported": 3})
    assert await numbers(http) == [1, 2, 3]


@pytest.mark.parametrize("body", [b"", b"\n\n"])
async def test_nothing_is_imported_from_nothing(http: httpx.AsyncClient, body: bytes) -> None:
    assert (await send(http, body)).json() == {"imported": 0}


async def test_a_line_may_have_as_many_bytes_as_a_body(http: httpx.AsyncClient) -> None:
    line = echo(1)[:-1].ljust(MAX_BODY - 1) + b"}"
    assert (await send(http, line + b"\r\n" + echo(2))).json() == {"imported": 2}
    document = is_problem(await send(http, echo(3) + b"\n" + line[:-1] + b" }\n" + echo(4)), 413, "FM413")
    assert progress(document) == {"imported": 1, "line": 2, "refused": [2], "next": 3, "unsure": 0}
    assert document["detail"].startswith("Line 2 ")
    assert await numbers(http) == [1, 2, 3]


async def test_no_more_is_read_than_a_chunk_until_that_is_stored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    piece = echoes(range(100))
    read: list[int] = []
    insert = world.store.insert

    async def watched(jobs: Any, *rest: Any, **options: Any) -> Any:
        read.append(stream.read)
        return await insert(jobs, *rest, **options)

    stream = Stream(those(*[piece] * 50))
    monkeypatch.setattr(world.store, "insert", watched)
    await world.api(stream.scope, stream.receive, stream.send)
    assert read == [len(piece) * pieces for pieces in (10, 20, 30, 40, 50)]


async def test_long_lines_make_short_chunks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK_BYTES", 1000)
    sizes: list[int] = []
    insert = world.store.insert

    async def watched(jobs: Any, *rest: Any, **options: Any) -> Any:
        sizes.append(len(jobs))
        return await insert(jobs, *rest, **options)

    monkeypatch.setattr(world.store, "insert", watched)
    async with talk(world.api) as http:
        assert (await send(http, b"\n".join(echo(n, tags=["x" * 60]) for n in range(100)))).status_code == 200
    length = len(echo(10, tags=["x" * 60]))
    assert sum(sizes) == 100
    assert all(size * length < 1000 + 2 * length for size in sizes)


# -- what stops it -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (b'{"type": "echo", "priority": 99}', 422, "FM422"),
        (b'["echo"]', 422, "FM422"),
        (b'{"type": "echo", "id": "x"}', 422, "FM422"),
        (b'{"type": "ehco"}', 422, "FM310"),
        (b'{"type": "echo", "payload": {"refuse": 1}}', 422, "FM302"),
        (b'{"type": "echo", "delay": 1, "run_at": "2030-01-01T00:00:00Z"}', 422, "FM311"),
        (b'{"type": "echo"', 400, "FM400"),
        (b'{"type": "echo"} {"type": "echo"}', 400, "FM400"),
        (b'{"type": "\xff"}', 400, "FM400"),
        (b'{"type": "echo", "type": "echo"}', 400, "FM308"),
        (b'{"type": "echo", "payload": {"a": NaN}}', 400, "FM307"),
    ],
)
@pytest.mark.parametrize("before", [0, 3, 1500])
async def test_a_wrong_line_ends_it_and_what_came_before_is_stored(
    http: httpx.AsyncClient, line: bytes, status: int, code: str, before: int
) -> None:
    body = b"\n" + echoes(range(before)) + line + b"\n" + echoes(range(5000, 5010))
    document = is_problem(await send(http, body), status, code)
    wrong = before + 2
    assert progress(document) == {
        "imported": before,
        "line": wrong,
        "refused": [wrong],
        "next": wrong + 1,
        "unsure": 0,
    }
    assert document["detail"].startswith(f"Line {wrong}: ")
    assert "line 1 column" not in document["detail"]
    assert await numbers(http) == list(range(before))


async def test_the_pointers_lead_into_the_line(http: httpx.AsyncClient) -> None:
    document = is_problem(await send(http, echo(1) + b'\n{"type": "echo", "priority": 99, "x": 1}'), 422, "FM422")
    assert [each["pointer"] for each in document["errors"]] == ["/priority", "/x"]


async def test_a_full_queue_ends_it_and_says_which_lines_it_refused() -> None:
    world = World(max_pending=3)
    async with talk(world.api) as http:
        answer = await send(http, echoes(range(5)) + echo(5, queue="mail") + b"\n" + echo(6) + b"\n")
        document = is_problem(answer, 429, "FM314")
        assert progress(document) == {"imported": 4, "line": 4, "refused": [4, 5, 7], "next": 8, "unsure": 0}
        assert int(answer.headers["retry-after"]) >= 1
        assert document["detail"].startswith("Line 4: ")
        assert await numbers(http) == [0, 1, 2, 5]


async def test_a_full_queue_is_told_before_a_wrong_line_behind_it() -> None:
    world = World(max_pending=3)
    for wrong in (b"{}", b'{"type": "ehco"}'):
        async with talk(world.api) as http:
            await world.claim()
            document = is_problem(await send(http, echoes(range(5)) + wrong + b"\n" + echo(9)), 429, "FM314")
            assert progress(document) == {"imported": 3, "line": 4, "refused": [4, 5], "next": 6, "unsure": 0}


async def test_a_full_queue_in_a_later_chunk_counts_the_chunks_before() -> None:
    world = World(max_pending=1200)
    async with talk(world.api) as http:
        document = is_problem(await send(http, echoes(range(3000))), 429, "FM314")
        assert progress(document) == {
            "imported": 1200,
            "line": 1201,
            "refused": list(range(1201, 2001)),
            "next": 2001,
            "unsure": 0,
        }
        assert await numbers(http) == list(range(1200))


async def test_a_taken_unique_key_ends_it_unless_its_holder_will_do(http: httpx.AsyncClient) -> None:
    holder = (await http.post("/jobs", json=json.loads(echo(0, unique_key="k")))).json()["id"]
    body = echo(1) + b"\n" + echo(2, unique_key="k") + b"\n" + echo(3)
    document = is_problem(await send(http, body), 409, "FM312")
    assert progress(document) == {"imported": 2, "line": 2, "refused": [2], "next": 4, "unsure": 0}
    assert document["holder"] == holder
    assert await numbers(http) == [0, 1, 3]
    assert (await send(http, body, "?on_conflict=return")).json() == {"imported": 3}
    assert await numbers(http) == [0, 1, 3, 1, 3]


async def test_lines_with_ids_can_be_sent_again(http: httpx.AsyncClient) -> None:
    body = echo(1, id=UNKNOWN) + b"\n" + echo(2, id=UNKNOWN.replace("57", "58")) + b"\n"
    for _ in range(2):
        assert (await send(http, body)).json() == {"imported": 2}
    assert await numbers(http) == [1, 2]


async def test_a_store_that_fails_in_the_middle_leaves_its_chunk_unsure(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    inserts: list[None] = []
    insert = world.store.insert

    async def fails_later(*given: Any, **options: Any) -> Any:
        inserts.append(None)
        if len(inserts) == 2:
            raise StoreFailed("The disk is gone.")
        return await insert(*given, **options)

    monkeypatch.setattr(world.store, "insert", fails_later)
    answer = await send(http, echoes(range(1700)))
    document = is_problem(answer, 503, "FM209")
    assert progress(document) == {"imported": 1000, "line": None, "refused": [], "next": 1001, "unsure": 700}
    assert await numbers(http) == list(range(1000))


async def test_what_nobody_foresaw_is_told_with_the_progress(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(world.store, "insert", breaks)
    document = is_problem(await send(http, echo(1)), 500, "FM499")
    assert progress(document) == {"imported": 0, "line": None, "refused": [], "next": 1, "unsure": 1}


@pytest.mark.parametrize("said", ["application/json", "text/plain", "application/x-ndjson; charset=latin-1", ""])
async def test_another_content_type_is_415(http: httpx.AsyncClient, said: str) -> None:
    answer = await http.post("/jobs/import", content=echo(1), headers={"content-type": said})
    document = is_problem(answer, 415, "FM415")
    assert "application/x-ndjson" in document["hint"]
    assert await numbers(http) == []


async def test_the_content_type_may_name_utf_8(http: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/x-ndjson; charset=utf-8"}
    assert (await http.post("/jobs/import", content=echo(1), headers=headers)).status_code == 200
    is_problem(await http.post("/jobs", content=echo(1), headers=headers), 415, "FM415")


async def test_an_idempotency_key_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/jobs/import", content=echo(1), headers=LINES | {"idempotency-key": "k"})
    is_problem(answer, 400, "FM401")
    is_problem(await send(http, echo(1), "?queue=mail"), 400, "FM401")
    assert await numbers(http) == []


# -- clients that stop -------------------------------------------------------------------------------


async def test_of_a_client_that_goes_away_whole_chunks_stay_and_nothing_is_said(
    world: World, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    stream = Stream(those(echoes(range(1500)), echo(1500)))
    with caplog.at_level(logging.DEBUG):
        await world.api(stream.scope, stream.receive, stream.send)
    assert stream.sent == []
    assert caplog.records == []
    assert await numbers(http) == list(range(1000))


async def test_a_client_that_is_silent_is_told_what_is_stored(
    world: World, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SILENCE", 0)
    monkeypatch.setattr("ferryman.http.exchange.LINGER_SECONDS", 0)
    stream = Stream(then_nothing(echoes(range(3)), b'{"type"'))
    await world.api(stream.scope, stream.receive, stream.send)
    assert stream.sent[0]["status"] == 408
    assert (b"connection", b"close") in stream.sent[0]["headers"]
    document = stream.document()
    assert document["code"] == "FM408"
    assert "Nothing came for 0 s." in document["detail"]
    assert progress(document) == {"imported": 3, "line": None, "refused": [], "next": 4, "unsure": 0}
    assert await numbers(http) == [0, 1, 2]


async def test_an_endless_line_is_413_and_not_read_to_its_end(world: World) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    read_before_the_answer: list[int] = []
    stream = Stream(endless())

    async def send(message: MutableMapping[str, Any]) -> None:
        read_before_the_answer.append(stream.read)
        await stream.send(message)

    await world.api(stream.scope, stream.receive, send)
    assert stream.sent[0]["status"] == 413
    assert read_before_the_answer[0] <= MAX_BODY + 2000
    assert (b"connection", b"close") in stream.sent[0]["headers"]


@pytest.mark.parametrize("more", [True, False])
async def test_the_connection_is_kept_only_if_all_of_the_body_was_read(world: World, more: bool) -> None:
    stream = Stream(those())

    async def receive() -> MutableMapping[str, Any]:
        if stream.sent:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"{}\n", "more_body": more}

    await world.api(stream.scope, receive, stream.send)
    assert stream.sent[0]["status"] == 422
    assert ((b"connection", b"close") in stream.sent[0]["headers"]) is more
