"""Where requests come from: who is connected, or whom a trusted proxy names; and who tries keys."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx
import pytest

from ferryman.http.exchange import Request
from ferryman.http.refusals import ADDRESSES, PAUSE, Refusals
from ferryman.http.server import HttpServer
from ferryman.testing.clock import ManualClock
from tests.http.world import World

pytestmark = pytest.mark.anyio
FORGED = {"Authorization": f"Bearer ferryman_{'0' * 16}_{'A' * 43}"}


def coming_from(address: str | None) -> Request:
    async def receive() -> dict[str, object]:
        raise AssertionError("Nothing is read.")

    client = None if address is None else (address, 80)
    return Request({"type": "http", "headers": [], "client": client}, receive)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "ferryman.http"]


@pytest.mark.parametrize(
    ("trusted", "said", "address"),
    [
        ((), "203.0.113.7", "127.0.0.1"),
        (("10.0.0.0/8",), "203.0.113.7", "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.7", "203.0.113.7"),
        (("127.0.0.0/8", "10.0.0.2"), "203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (("127.0.0.1",), "203.0.113.7, 198.51.100.1", "198.51.100.1"),
        (("127.0.0.1",), "", "127.0.0.1"),
    ],
    ids=["nobody is trusted", "another one is", "the proxy is", "two are", "what the client made up", "nothing said"],
)
async def test_only_a_trusted_proxy_says_who_asks(
    world: World, caplog: pytest.LogCaptureFixture, trusted: Sequence[str], said: str, address: str
) -> None:
    await world.key("read")
    server = HttpServer(world.api, "127.0.0.1", 0, trusted_proxies=trusted)
    url = await server.start()
    assert urlsplit(url).port
    async with httpx.AsyncClient(trust_env=False) as http:
        headers = FORGED | ({"X-Forwarded-For": said} if said else {})
        assert (await http.get(f"{url}/jobs", headers=headers)).status_code == 401
    await server.stop(1.0)
    assert lines(caplog) == [f"Requests with API keys that open nothing: 1, of which 1 from {address}"]


async def test_the_environment_makes_nobody_trusted(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    await test_only_a_trusted_proxy_says_who_asks(world, caplog, (), "203.0.113.7", "127.0.0.1")


def test_there_is_a_line_a_minute_however_many_try(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    refusals = Refusals(clock.monotonic)
    for address in ("a", "b", "c", "b"):
        refusals.note(coming_from(address))
    assert len(lines(caplog)) == 1
    clock.advance(PAUSE)
    refusals.note(coming_from(None))
    assert lines(caplog)[1] == "Requests with API keys that open nothing: 4, of which 2 from b"


def test_so_many_addresses_are_told_apart_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    refusals = Refusals(clock.monotonic)
    for n in range(3 * ADDRESSES):
        refusals.note(coming_from(str(n)))
    assert len(refusals._by_address) == ADDRESSES
    clock.advance(PAUSE)
    refusals.note(coming_from("1"))
    assert lines(caplog)[1].startswith(f"Requests with API keys that open nothing: {3 * ADDRESSES},")


async def test_a_request_without_a_key_tries_none(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.key("read")
    transport = httpx.ASGITransport(world.api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        assert (await http.get("/jobs")).status_code == 401
        assert lines(caplog) == []
        assert (await http.get("/jobs", headers=FORGED)).status_code == 401
    assert caplog.records[-1].levelno == logging.WARNING
