"""What takes its time ends with the API key by which it began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ferryman.domain.errors import StoreFailed
from ferryman.domain.outcome import Outcome, What
from ferryman.http.events import STILL_HERE
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.http.slowly import Asked
from tests.http.world import World, is_problem, talk

DONE = Outcome(What.DONE, result='"done"')
OWN = b'{"type":"echo","queue":"mail"}'


async def made(world: World, key: dict[str, str]) -> str:
    asked = Asked(world.api, "POST", "/jobs", OWN, **shown(key))
    await asked.task
    id: str = asked.json["id"]
    return id


def shown(key: dict[str, str]) -> Any:
    """A key as the headers of `Asked`."""
    return {name.lower(): value for name, value in key.items()}


async def revoke(world: World) -> None:
    await world.client.access.revoke("web")
    world.clock.advance(1)


def events(asked: Asked) -> list[str]:
    return [each["event"] for each in asked.events if "event" in each]


def test_a_stream_tells_nothing_once_its_key_has_ended() -> None:
    async def main() -> None:
        world = World()
        key = await world.key("enqueue", "read")
        id = await made(world, key)
        asked = Asked(world.api, "GET", f"/jobs/{id}/events", **shown(key))
        await pass_time(1)
        assert events(asked) == ["job"]
        await revoke(world)
        await world.finish(DONE)
        await asked.task
        assert events(asked) == ["job"]
        assert asked.has_ended()

    virtual.run(main())


def test_a_stream_on_which_nothing_happens_ends_soon_after_its_key() -> None:
    async def main() -> None:
        world = World()
        key = await world.key("enqueue", "read")
        asked = Asked(world.api, "GET", f"/jobs/{await made(world, key)}/events", **shown(key))
        await pass_time(1)
        await revoke(world)
        await pass_time(STILL_HERE)
        assert asked.task.done()
        assert len(world.client.watcher) == 0

    virtual.run(main())


def test_a_stream_that_nobody_needed_a_key_for_ends_when_somebody_does() -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "GET", f"/jobs/{await made(world, {})}/events")
        await pass_time(1)
        await world.key("read")
        await pass_time(STILL_HERE)
        assert asked.task.done()

    virtual.run(main())


def test_a_stream_costs_its_key_one_request_however_long_it_is() -> None:
    async def main() -> None:
        world = World()
        id = await made(world, {})
        key = await world.key("read", rate=0.001, burst=1)
        asked = Asked(world.api, "GET", f"/jobs/{id}/events", **shown(key))
        await pass_time(3 * STILL_HERE + 1)
        assert not asked.task.done()
        asked.leave()
        await asked.task

    virtual.run(main())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_waits_is_not_told_the_end_once_the_key_has_ended(method: str) -> None:
    async def main() -> None:
        world = World()
        key = await world.key("enqueue", "read")
        path = f"/jobs/{await made(world, key)}" if method == "GET" else "/jobs"
        body = b"" if method == "GET" else OWN
        asked = Asked(world.api, method, path, body, prefer="wait=30", **shown(key))
        await pass_time(1)
        await revoke(world)
        await world.finish(DONE)
        await asked.task
        if method == "GET":
            assert (asked.status, asked.json["code"]) == (401, "FM602")
        else:  # it was accepted while the key lived
            assert (asked.status, asked.json["status"]) == (201, "pending")

    virtual.run(main())


@pytest.mark.anyio
async def test_an_import_stores_nothing_more_once_its_key_has_ended(world: World) -> None:
    key = await world.key("enqueue")

    async def body() -> AsyncIterator[bytes]:
        yield b'{"type":"echo"}\n' * 1500
        await revoke(world)
        yield b'{"type":"echo"}\n' * 1000

    headers = {**key, "Content-Type": "application/x-ndjson"}
    async with talk(world.api) as http:
        told = is_problem(await http.post("/jobs/import", content=body(), headers=headers), 401, "FM602")
    assert (told["imported"], told["next"], told["unsure"]) == (1000, 1001, 0)
    assert len(await world.client.list("")) == 1000


def test_a_stream_breaks_off_where_nobody_knows_whether_its_key_lives() -> None:
    async def main() -> None:
        world = World()
        key = await world.key("enqueue", "read")
        asked = Asked(world.api, "GET", f"/jobs/{await made(world, key)}/events", **shown(key))
        await pass_time(1)

        async def fail() -> None:
            raise StoreFailed("It is broken.")

        world.store.api_keys = fail  # type: ignore[assignment,method-assign]
        world.clock.advance(1)
        await asyncio.wait([asked.task], timeout=2 * STILL_HERE)
        assert asked.task.done()
        assert asked.has_ended()

    virtual.run(main())
