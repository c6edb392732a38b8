"""What is said again, and what is told in the end; every pause is on a clock of our own."""

from __future__ import annotations

import asyncio
import logging

import httpx2
import pytest

from ferryman.domain.errors import (
    JobNotFound,
    QueueFull,
    RemoteError,
    ServerUnreachable,
    ShuttingDown,
    StoreBusy,
    WrongContent,
)
from ferryman.http.remote.asking import Ask
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.patience import Patience
from tests.http.remote.lines import KEY, URL, Scripted, Times, problem

pytestmark = pytest.mark.anyio

OK = httpx2.Response(200, content=b"[]")
ASK = Ask("GET", "/jobs?limit=1")
ONCE = Ask("POST", "/jobs/x/retry", repeatable=False)


async def opened(line: httpx2.AsyncBaseTransport, times: Times, **more: object) -> Connection:
    found = Connection(
        URL,
        api_key=KEY,
        transport=line,
        monotonic=times.monotonic,
        sleep=times.sleep,
        **more,  # type: ignore[arg-type]
    )
    await found.open()
    return found


def lost(kind: type[httpx2.RequestError] = httpx2.ReadError) -> httpx2.RequestError:
    return kind("It broke.", request=httpx2.Request("GET", URL))


async def test_a_request_carries_the_key_and_asks_for_json(times: Times) -> None:
    line = Scripted(OK)
    await (await opened(line, times)).say(Ask("POST", "/jobs", b"{}", {"idempotency-key": '"k"'}))
    [seen] = line.seen
    assert (seen.method, str(seen.url)) == ("POST", f"{URL}/jobs")
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["accept"] == "application/json"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["idempotency-key"] == '"k"'
    assert seen.headers["user-agent"].startswith("ferryman/")
    assert seen.content == b"{}"


@pytest.mark.parametrize(
    "trouble",
    [
        lost(),
        lost(httpx2.ConnectError),
        lost(httpx2.ConnectTimeout),
        lost(httpx2.ReadTimeout),
        lost(httpx2.WriteError),
        lost(httpx2.RemoteProtocolError),
        lost(httpx2.PoolTimeout),
        problem(429, "FM314", {"retry-after": "1"}),
        problem(503, "FM450", {"retry-after": "5"}),
        problem(503, "FM218", {"retry-after": "1"}),
        httpx2.Response(502, html="<h1>Bad gateway</h1>"),
        httpx2.Response(504),
    ],
)
async def test_what_may_pass_is_waited_for(trouble: httpx2.Response | Exception, times: Times) -> None:
    line = Scripted(trouble, OK)
    reply = await (await opened(line, times)).say(ASK)
    assert (reply.status, len(line.seen), len(times.slept)) == (200, 2, 1)
    if isinstance(trouble, httpx2.Response) and "retry-after" in trouble.headers:
        assert times.slept[0] >= int(trouble.headers["retry-after"])


@pytest.mark.parametrize("trouble", [lost(), lost(httpx2.ReadTimeout), httpx2.Response(502), problem(503, "FM207")])
async def test_what_may_have_been_done_is_not_said_again(trouble: httpx2.Response | Exception, times: Times) -> None:
    line = Scripted(trouble, OK)
    with pytest.raises((ServerUnreachable, RemoteError, StoreBusy)):
        await (await opened(line, times)).say(ONCE)
    assert (len(line.seen), times.slept) == (1, [])


async def test_what_was_surely_not_done_is_said_again_in_any_case(times: Times) -> None:
    line = Scripted(lost(httpx2.ConnectError), problem(503, "FM450"), OK)
    assert (await (await opened(line, times)).say(ONCE)).status == 200


async def test_after_so_many_tries_it_says_what_it_knows(times: Times) -> None:
    line = Scripted(*[lost(httpx2.ConnectError) for _ in range(9)])
    with pytest.raises(ServerUnreachable, match="Nothing was done") as caught:
        await (await opened(line, times)).say(ASK)
    assert (len(line.seen), len(times.slept)) == (9, 8)
    assert "It broke." in caught.value.why
    assert URL in caught.value.what


async def test_one_try_that_may_have_arrived_leaves_it_unsure(times: Times) -> None:
    line = Scripted(lost(), *[lost(httpx2.ConnectError) for _ in range(8)])
    with pytest.raises(ServerUnreachable, match="It may have been done all the same"):
        await (await opened(line, times)).say(ASK)


async def test_the_deadline_is_for_all_tries_together(times: Times) -> None:
    line = Scripted(*[lost(httpx2.ReadTimeout) for _ in range(9)], times=times, takes=10.0)
    with pytest.raises(ServerUnreachable):
        await (await opened(line, times, patience=Patience(timeout=30.0))).say(ASK)
    assert len(line.seen) == 3
    assert times.now < 1000 + 31


async def test_a_try_has_no_more_time_than_is_left(times: Times) -> None:
    line = Scripted(lost(httpx2.ReadTimeout), OK, times=times, takes=25.0)
    await (await opened(line, times, patience=Patience(timeout=30.0, attempt=10.0))).say(ASK)
    limits = [each.extensions["timeout"]["read"] for each in line.seen]
    assert limits[0] == 10.0
    assert limits[1] <= 5.0


async def test_a_server_that_holds_its_answer_back_has_that_much_longer(times: Times) -> None:
    line = Scripted(OK)
    await (await opened(line, times)).say(Ask("GET", "/jobs/x", held=20.0))
    assert line.seen[0].extensions["timeout"]["read"] == 30.0


async def test_a_server_that_never_answers_is_given_up(times: Times) -> None:
    class Silent(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await asyncio.Event().wait()
            raise AssertionError

    with pytest.raises(ServerUnreachable, match="It may have been done"):
        await (await opened(Silent(), times, patience=Patience(retries=0, timeout=0.01))).say(ASK)


async def test_no_room_does_not_count_as_a_try(times: Times) -> None:
    full = [problem(429, "FM314", {"retry-after": "1"}) for _ in range(20)]
    line = Scripted(*full, lost(), OK)
    assert (await (await opened(line, times, patience=Patience(retries=1))).say(ASK)).status == 200


async def test_where_there_is_no_room_in_time_it_says_when_to_come_again(times: Times) -> None:
    line = Scripted(*[problem(429, "FM314", {"retry-after": "20"}) for _ in range(9)])
    with pytest.raises(QueueFull) as caught:
        await (await opened(line, times)).say(ASK)
    assert caught.value.retry_after == 20
    assert (len(line.seen), round(sum(times.slept))) == (3, 30)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int, times: Times) -> None:
    line = Scripted(httpx2.Response(status, headers={"location": "http://elsewhere.test/jobs"}))
    with pytest.raises(RemoteError, match="redirects are not followed") as caught:
        await (await opened(line, times)).say(ASK)
    assert (caught.value.status, len(line.seen)) == (status, 1)


async def test_an_answer_that_is_too_long_is_not_read_to_its_end(times: Times) -> None:
    read: list[int] = []

    class Endless(httpx2.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            for _ in range(1000):
                read.append(1)
                yield b"x" * 1024

    line = Scripted(httpx2.Response(200, stream=Endless()))
    with pytest.raises(RemoteError, match="more than 10240 bytes"):
        await (await opened(line, times, answer_most=10240)).say(ASK)
    assert len(read) == 11


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(problem(404, "FM404"), JobNotFound), (problem(422, "FM422"), WrongContent), (problem(500, "FM499"), Exception)],
)
async def test_what_the_server_refuses_is_told_at_once(answer: httpx2.Response, kind: type, times: Times) -> None:
    with pytest.raises(kind):
        await (await opened(Scripted(answer), times)).say(ASK)
    assert times.slept == []


async def test_the_last_word_is_the_servers_if_it_had_one(times: Times) -> None:
    with pytest.raises(ShuttingDown, match=r"What happened\. What to do\."):
        await (await opened(Scripted(problem(503, "FM450")), times, patience=Patience(retries=0))).say(ASK)


async def test_nobody_is_told_the_key(times: Times, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    way = await opened(Scripted(lost(), httpx2.Response(502)), times, patience=Patience(retries=1))
    with pytest.raises(RemoteError) as caught:
        await way.say(ASK)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert KEY not in repr(chain) + str(vars(chain))
        assert not isinstance(chain, httpx2.HTTPError)
        chain = chain.__cause__ or chain.__context__
    assert KEY not in caplog.text + repr(way)


async def test_a_way_that_is_closed_says_so(times: Times) -> None:
    way = await opened(Scripted(OK), times)
    await way.close()
    await way.close()
    with pytest.raises(ServerUnreachable, match="is closed"):
        await way.say(ASK)


@pytest.mark.parametrize("trust", [False, True])
async def test_proxies_of_the_environment_are_used_only_if_asked_for(
    trust: bool, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody is there
    made: list[bool] = []
    monkeypatch.setattr(httpx2, "AsyncClient", lambda **given: made.append(given["trust_env"]))
    await Connection(URL, trust_env=trust).open()
    assert made == [trust]
