"""Signing in with an API key: what a browser is told to keep, and what it opens. What is refused: see test_security."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from ferryman.client import JobRequest
from ferryman.domain.outcome import Outcome, What
from ferryman.http.events import STILL_HERE
from ferryman.http.openness import Open
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.http.slowly import Asked
from tests.http.world import World, is_problem, talk

pytestmark = pytest.mark.anyio
OURS = {"Sec-Fetch-Site": "same-origin"}


@asynccontextmanager
async def browser(api: ASGIApp, url: str = "http://test") -> AsyncIterator[httpx.AsyncClient]:
    """A page of the API's own, with a jar for its cookies."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url=url) as http:
        http.headers.update(OURS | {"Origin": url})
        yield http


async def text_of(world: World, *scopes: str, **more: Any) -> str:
    """A new API key."""
    return (await world.key(*scopes, **more))["Authorization"].removeprefix("Bearer ")


def kept(answer: httpx.Response) -> tuple[str, str, dict[str, str]]:
    """The one cookie that an answer has kept: name, value, attributes."""
    [line] = answer.headers.get_list("set-cookie")
    [(name, cookie)] = SimpleCookie(line).items()
    return name, cookie.value, {key: str(value) for key, value in cookie.items() if value}


# -- in, and out ------------------------------------------------------------------------------------


async def test_who_signs_in_needs_no_header_from_then_on(world: World) -> None:
    text = await text_of(world, "operate", name="anna")
    told = {"name": "anna", "rights": ["read", "operate"], "queues": None, "open": False}
    async with browser(world.api) as http:
        is_problem(await http.get("/session"), 401, "FM601")
        answer = await http.post("/session", json={"key": text})
        assert (answer.status_code, answer.json()) == (200, told)
        assert (await http.get("/session")).json() == told
        assert (await http.get("/jobs")).status_code == 200
        assert (await http.post("/queues/mail/pause")).status_code == 200
        is_problem(await http.post("/jobs", json={"type": "echo"}), 403, "FM603")


async def test_who_signs_out_is_nobody_again_and_the_key_goes_on(world: World) -> None:
    text = await text_of(world, "read")
    async with browser(world.api) as http:
        await http.post("/session", json={"key": text})
        answer = await http.delete("/session")
        assert (answer.status_code, answer.content) == (204, b"")
        assert kept(answer)[1:] == ("", {"path": "/", "httponly": "True", "samesite": "Strict", "max-age": "0"})
        is_problem(await http.get("/jobs"), 401, "FM601")
        assert (await http.get("/jobs", headers={"Authorization": f"Bearer {text}"})).status_code == 200
        assert (await http.delete("/session")).status_code == 204


async def test_what_a_key_may_do_is_told_with_its_queues(world: World) -> None:
    text = await text_of(world, "read", "enqueue", queues=["mail", "letters"])
    async with browser(world.api) as http:
        told = (await http.post("/session", json={"key": text})).json()
        assert (told["rights"], told["queues"]) == (["enqueue", "read"], ["letters", "mail"])
        assert (await http.post("/jobs", json={"type": "echo", "queue": "mail"})).status_code == 201
        is_problem(await http.post("/jobs", json={"type": "echo"}), 403, "FM604")


async def test_where_nobody_needs_a_key_that_is_told(world: World) -> None:
    async with browser(world.api) as http:
        told = (await http.get("/session")).json()
        assert told == {
            "name": None,
            "rights": ["enqueue", "read", "work", "operate", "admin"],
            "queues": None,
            "open": True,
        }
        world.open_to = Open.NOBODY
        is_problem(await http.get("/session"), 401, "FM601")


async def test_who_asks_is_told_by_header_too(world: World, http: httpx.AsyncClient) -> None:
    key = await world.key("read")
    assert (await http.get("/session", headers=key)).json()["name"] == "web"


async def test_what_is_told_of_a_session_is_kept_by_nobody(world: World) -> None:
    text = await text_of(world, "read")
    async with browser(world.api) as http:
        for answer in (
            await http.post("/session", json={"key": text}),
            await http.get("/session"),
            await http.delete("/session"),
        ):
            assert answer.headers["cache-control"] == "no-store"


# -- the cookie -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name", "flags"),
    [
        ("http://test", "ferryman", {}),
        ("http://localhost:8080", "ferryman-8080", {}),
        ("http://[::1]:8080", "ferryman-8080", {}),
        ("https://jobs.example", "__Host-ferryman", {"secure": "True"}),
        ("https://jobs.example:8443", "__Host-ferryman-8443", {"secure": "True"}),
    ],
)
async def test_scripts_and_other_sites_do_not_get_it(world: World, url: str, name: str, flags: dict[str, str]) -> None:
    text = await text_of(world, "read")
    async with browser(world.api, url) as http:
        answer = await http.post("/session", json={"key": text})
    found = kept(answer)
    assert found == (name, text, {"path": "/", "httponly": "True", "samesite": "Strict"} | flags)


@pytest.mark.parametrize(("scheme", "name"), [("http", "ferryman"), ("https", "ferryman")])
async def test_below_a_prefix_it_goes_nowhere_else(world: World, scheme: str, name: str) -> None:
    text = await text_of(world, "read")
    async with browser(Starlette(routes=[Mount("/a/queue", world.api)]), f"{scheme}://test") as http:
        answer = await http.post("/a/queue/session", json={"key": text})
        found, _, attributes = kept(answer)
        assert (found, attributes["path"], "secure" in attributes) == (name, "/a/queue", scheme == "https")
        assert (await http.get("/a/queue/session")).json()["name"] == "web"
        assert kept(await http.delete("/a/queue/session"))[2]["path"] == "/a/queue"
        is_problem(await http.get("/a/queue/session"), 401, "FM601")


async def test_a_path_in_which_attributes_stand_adds_none(world: World) -> None:
    text = await text_of(world, "read")
    async with talk(Starlette(routes=[Mount("/{tenant}", world.api)])) as http:
        answer = await http.post("/a; Domain=example%0D%0AX-Forged: yes/session", json={"key": text})
    assert set(kept(answer)[2]) == {"path", "httponly", "samesite"}
    assert "x-forged" not in answer.headers


async def test_behind_a_proxy_that_speaks_https_it_is_for_https_alone(world: World) -> None:
    text = await text_of(world, "read")
    async with browser(world.api) as http:
        http.headers["Origin"] = "https://test"
        answer = await http.post("/session", json={"key": text})
        name, _, flags = kept(answer)
        assert (name, flags["secure"]) == ("__Host-ferryman", "True")
        http.cookies.clear()
        for cookies in f"__Host-ferryman={text}", f"ferryman={text}", f"ferryman=tossed; __Host-ferryman={text}":
            assert (await http.get("/session", headers={"Cookie": cookies})).status_code == 200, cookies
        del http.headers["Origin"]
        stale = await http.get("/session", headers={"Cookie": "__Host-ferryman=stale"})
        assert stale.status_code == 401
        name, _, flags = kept(stale)
        assert (name, flags["secure"], flags["max-age"]) == ("__Host-ferryman", "True", "0")


async def test_what_is_ended_is_what_was_shown(world: World) -> None:
    async with browser(world.api) as http:
        for cookies, names in (
            ("", []),
            ("other=1", []),
            ("ferryman=1", ["ferryman"]),
            ("ferryman=1; __Host-ferryman=2", ["__Host-ferryman", "ferryman"]),
        ):
            answer = await http.delete("/session", headers={"Cookie": cookies})
            ended = [line.partition("=") for line in answer.headers.get_list("set-cookie")]
            assert [name for name, _, _ in ended] == names
            assert ["Secure" in rest for _, _, rest in ended] == [name.startswith("__Host-") for name in names]


async def test_what_came_by_https_shows_only_what_no_sibling_can_have_set(world: World) -> None:
    text = await text_of(world, "read")
    async with browser(world.api, "https://jobs.example") as http:
        is_problem(await http.get("/session", headers={"Cookie": f"ferryman={text}"}), 401, "FM601")
        assert (await http.get("/session", headers={"Cookie": f"__Host-ferryman={text}"})).status_code == 200


async def test_servers_on_two_ports_do_not_take_each_others(world: World) -> None:
    text = await text_of(world, "read")
    shown = {"Cookie": f"ferryman-8081=other; ferryman-8080={text}"}
    async with browser(world.api, "http://localhost:8080") as http:
        assert (await http.get("/session", headers=shown)).status_code == 200
    async with browser(world.api, "http://localhost:8082") as http:
        is_problem(await http.get("/session", headers=shown), 401, "FM601")


async def test_one_that_was_made_for_a_path_goes_before_one_of_the_whole_host(world: World) -> None:
    text = await text_of(world, "read")
    async with browser(world.api) as http:
        answer = await http.get("/session", headers={"Cookie": f"a=b;ferryman={text}; ferryman=other"})
        assert answer.status_code == 200


async def test_over_https_one_that_a_sibling_could_have_made_is_none(world: World) -> None:
    text = await text_of(world, "read")
    async with browser(world.api, "https://test") as http:
        is_problem(await http.get("/session", headers={"Cookie": f"ferryman={text}"}), 401, "FM601")


# -- a key that has ended, and others ---------------------------------------------------------------


async def test_a_cookie_that_opens_nothing_is_forgotten(world: World) -> None:
    text = await text_of(world, "read")
    async with browser(world.api) as http:
        await http.post("/session", json={"key": text})
        await world.client.access.revoke("web")
        world.clock.advance(1)
        is_problem(await http.get("/jobs"), 401, "FM602")
        answer = await http.get("/session")
        is_problem(answer, 401, "FM602")
        assert kept(answer)[:2] == ("ferryman", "")
        is_problem(await http.get("/jobs"), 401, "FM601")


async def test_a_header_that_opens_nothing_takes_no_cookie_along(world: World) -> None:
    text = await text_of(world, "read")
    async with browser(world.api) as http:
        await http.post("/session", json={"key": text})
        answer = await http.get("/session", headers={"Authorization": "Bearer ferryman"})
        is_problem(answer, 401, "FM602")
        assert "set-cookie" not in answer.headers
        assert (await http.get("/session")).status_code == 200


async def test_the_header_wins(world: World) -> None:
    text, other = await text_of(world, "read", name="anna"), await world.key("admin", name="ops")
    async with browser(world.api) as http:
        await http.post("/session", json={"key": text})
        assert (await http.get("/session", headers=other)).json()["name"] == "ops"
        del http.headers["Origin"], http.headers["Sec-Fetch-Site"]
        assert (await http.post("/queues/mail/pause", headers=other)).status_code == 200, "it is no cookie's request"


async def test_a_rotated_key_is_shown_until_its_grace_has_passed(world: World) -> None:
    text = await text_of(world, "read")
    async with browser(world.api) as http:
        await http.post("/session", json={"key": text})
        await world.client.access.rotate("web", 60)
        world.clock.advance(59)
        assert (await http.get("/jobs")).status_code == 200
        world.clock.advance(1)
        is_problem(await http.get("/jobs"), 401, "FM602")


async def test_another_process_knows_who_has_signed_in(world: World) -> None:
    text = await text_of(world, "read")
    async with browser(world.api) as http:
        await http.post("/session", json={"key": text})
        shown = {"Cookie": f"ferryman={http.cookies['ferryman']}"}
    async with browser(world.over(world.client)) as elsewhere:
        assert (await elsewhere.get("/session", headers=shown)).json()["name"] == "web"


@pytest.mark.parametrize("ours", [0, 1])
async def test_each_cookie_may_come_in_a_header_of_its_own(world: World, ours: int) -> None:
    shown = [("Cookie", "theme=dark"), ("Cookie", "lang=en")]
    shown.insert(ours, ("Cookie", f"ferryman={await text_of(world, 'read')}"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.api), base_url="http://test") as http:
        assert (await http.get("/session", headers=shown)).json()["name"] == "web"
        is_problem(await http.post("/queues/mail/pause", headers=shown), 403, "FM605")


async def test_rates_count_what_comes_by_cookie(world: World) -> None:
    text = await text_of(world, "read", rate=0.1, burst=3)
    async with browser(world.api) as http:
        assert (await http.post("/session", json={"key": text})).status_code == 200
        assert (await http.get("/session")).status_code == 200
        assert (await http.get("/jobs")).status_code == 200
        is_problem(await http.get("/jobs"), 429, "FM606")
        is_problem(await http.get("/session"), 429, "FM606")
        is_problem(await http.post("/session", json={"key": text}), 429, "FM606")


async def test_deeds_by_cookie_are_those_of_the_key(world: World) -> None:
    text = await text_of(world, "operate", name="anna")
    async with browser(world.api) as http:
        await http.post("/session", json={"key": text})
        await http.post("/queues/mail/pause")
        [deed] = (await http.get("/audit?action=queue.pause")).json()
    assert deed["actor"] == "api-key:anna"


async def test_keys_that_open_nothing_are_logged_wherever_they_stand_and_never_shown(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.key("read")
    forged = f"ferryman_{'0' * 16}_{'A' * 43}"
    with caplog.at_level(logging.DEBUG):
        async with browser(world.api) as http:
            is_problem(await http.post("/session", json={"key": forged}), 401, "FM602")
            world.clock.advance(60)
            is_problem(await http.get("/jobs", headers={"Cookie": f"ferryman={forged}"}), 401, "FM602")
    lines = [each.getMessage() for each in caplog.records if each.name == "ferryman.http"]
    assert len(lines) == 2
    assert all(each.startswith("Requests with API keys that open nothing: 1,") for each in lines)
    assert forged not in caplog.text


@pytest.mark.parametrize("by", ["authorization", "cookie"])
def test_a_stream_ends_with_the_key_by_which_it_began(by: str) -> None:
    async def main() -> None:
        world = World()
        text = await text_of(world, "enqueue", "read")
        id = (await world.client.enqueue(JobRequest("echo"))).id
        shown = f"Bearer {text}" if by == "authorization" else f"ferryman={text}"
        headers: Any = {by: shown, "sec_fetch_site": "same-origin"}
        asked = Asked(world.api, "GET", f"/jobs/{id}/events", **headers)
        await pass_time(1)
        assert [each["event"] for each in asked.events if "event" in each] == ["job"]
        await world.client.access.revoke("web")
        world.clock.advance(1)
        await world.finish(Outcome(What.DONE))
        await pass_time(STILL_HERE)
        assert [each["event"] for each in asked.events if "event" in each] == ["job"]
        assert asked.has_ended()

    virtual.run(main())
