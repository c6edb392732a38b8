"""What takes its time ends with the API key by which it began, and tells of no job that has left the key's queues."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ferryman.client import Client, JobRequest
from ferryman.domain.errors import StoreFailed
from ferryman.domain.events import Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.outcome import Outcome, What
from ferryman.http.events import STILL_HERE
from ferryman.http.keyring import Keyring
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.http.slowly import Asked
from tests.http.world import OneType, Wakes, World, is_problem, talk

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


# -- a job that leaves the queues of whoever follows it ----------------------------------------------


async def leave(world: World, id: str) -> None:
    """Have a job go to another queue, and end there."""
    controls = world.client.controls
    await controls.place(id, controls.placement(queue="letters"))
    await pass_time(1)
    await world.finish(DONE)
    await pass_time(1)


def test_a_stream_tells_nothing_of_a_job_in_another_queue() -> None:
    async def main() -> None:
        world = World()
        key = await world.key("enqueue", "read", queues=["mail"])
        id = await made(world, key)
        asked = Asked(world.api, "GET", f"/jobs/{id}/events", **shown(key))
        await pass_time(1)
        last = asked.events[-1]["id"]
        await leave(world, id)
        await asked.task
        assert events(asked) == ["job"]
        said: list[Any] = [{}, {"last_event_id": last}, {"prefer": "wait=9"}, {"if_none_match": "*"}]
        for more in said:
            for below in ("", "/events"):
                again = Asked(world.api, "GET", f"/jobs/{id}{below}", **shown(key), **more)
                await again.task
                assert (again.status, again.json["code"]) == (404, "FM404")

    virtual.run(main())


@pytest.mark.parametrize(("method", "expected"), [("GET", (404, None)), ("POST", (201, "pending"))])
def test_who_waits_is_told_nothing_of_a_job_in_another_queue(method: str, expected: tuple[int, str | None]) -> None:
    async def main() -> None:
        world = World()
        key = await world.key("enqueue", "read", queues=["mail"])
        path = f"/jobs/{await made(world, key)}" if method == "GET" else "/jobs"
        body = b"" if method == "GET" else OWN
        asked = Asked(world.api, method, path, body, prefer="wait=30", **shown(key))
        await pass_time(1)
        [job] = await world.client.list("")
        await leave(world, job.id)
        await asked.task
        assert (asked.status, asked.json["status"] if method == "POST" else None) == expected

    virtual.run(main())


# -- what the guard costs ----------------------------------------------------------------------------


class Counting:
    """A store that notes what it is asked for."""

    def __init__(self, store: object) -> None:
        self._store = store
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        self.asked.append(name)
        return getattr(self._store, name)


@pytest.mark.anyio
async def test_a_key_costs_a_request_no_read_and_its_queues_one() -> None:
    world = World()
    store: Any = Counting(world.store)
    world.client = Client(
        store,
        world.clock,
        IdMinter(random.Random(2)),
        Wakes(),
        events=Events(),
        catalogue=OneType(),
    )
    world.keyring = Keyring(store, world.clock)
    free, limited = await world.key("operate"), await world.key("operate", name="mail", queues=["mail"])
    job = await world.client.enqueue(JobRequest("echo", queue="mail"))
    async with talk(world.over(world.client)) as http:
        costs = []
        for key in (free, limited, free, limited):
            await http.get("/queues", headers=key)  # whose look at the keys, and note of the use, are shared
            store.asked.clear()
            assert (await http.get(f"/jobs/{job.id}", headers=key)).status_code == 200
            costs.append(list(store.asked))
    assert costs == [["get"], ["get", "get"]] * 2
