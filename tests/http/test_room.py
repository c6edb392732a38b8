"""Requests that last leave connections to others: those of one API key, and all of them together."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.domain.outcome import Outcome, What
from ferryman.http.lasting import Lasting
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.http.slowly import Asked
from tests.http.world import World, talk

DONE = Outcome(What.DONE)
ECHO = b'{"type":"echo"}'
LINES = "application/x-ndjson"


async def made(world: World, **headers: Any) -> str:
    asked = Asked(world.api, "POST", "/jobs", ECHO, **headers)
    await asked.task
    id: str = asked.json["id"]
    return id


async def key(world: World, name: str = "web") -> dict[str, Any]:
    shown = await world.key("enqueue", "read", name=name)
    return {"authorization": shown["Authorization"]}


async def streams(world: World, id: str, count: int, **headers: Any) -> list[Asked]:
    """So many streams of one job, all of which have begun, or were refused."""
    asked = [Asked(world.api, "GET", f"/jobs/{id}/events", **headers) for _ in range(count)]
    await pass_time(1)
    return asked


async def end(asked: list[Asked]) -> None:
    for each in asked:
        each.leave()
        await each.task


def refused(asked: Asked) -> Any:
    """What is told to whom there was no room for."""
    assert (asked.status, asked.headers["retry-after"]) == (429, "5")
    document = asked.json
    assert document["code"] == "FM610"
    return document["detail"]


@pytest.mark.parametrize(("connections", "one", "all"), [(1000, 500, 750), (8, 4, 6), (2, 1, 1), (1, 1, 1)])
def test_one_key_has_half_and_all_have_three_quarters(connections: int, one: int, all: int) -> None:
    lasting = Lasting(connections)
    assert (lasting.of_one, lasting.of_all) == (one, all)


def test_one_key_cannot_have_more_streams_and_another_one_can() -> None:
    async def main() -> None:
        world = World(connections=4)
        one, other = await key(world), await key(world, "other")
        id = await made(world, **one)
        open = await streams(world, id, 2, **one)
        assert [each.status for each in open] == [200, 200]
        [third] = await streams(world, id, 1, **one)
        assert "The API key web has 2 requests open" in refused(third)
        [others] = await streams(world, id, 1, **other)
        assert others.status == 200
        await end([*open, others])

    virtual.run(main())


def test_keys_that_follow_one_another_are_one() -> None:
    async def main() -> None:
        world = World(connections=4)
        former = await key(world)
        issued = await world.client.access.rotate("web")
        world.clock.advance(1)
        latter = {"authorization": f"Bearer {issued.text.reveal()}"}
        id = await made(world, **former)
        open = await streams(world, id, 2, **former)
        [third] = await streams(world, id, 1, **latter)
        refused(third)
        await end(open)

    virtual.run(main())


def test_all_together_leave_a_quarter_to_what_is_answered_at_once() -> None:
    async def main() -> None:
        world = World(connections=4)
        id = await made(world)
        open = await streams(world, id, 3)
        [fourth] = await streams(world, id, 1)
        assert "3 requests are open" in refused(fourth)
        async with talk(world.api) as http:
            assert (await http.get("/health")).status_code == 200
            assert (await http.get("/metrics")).status_code == 200
            assert (await http.post("/jobs", json={"type": "echo"})).status_code == 201
        await end(open)

    virtual.run(main())


@pytest.mark.parametrize("way", ["its client goes", "its job ends", "it is not followed at all"])
def test_room_is_given_back(way: str) -> None:
    async def main() -> None:
        world = World(connections=1)
        id = await made(world)
        if way == "it is not followed at all":
            open = [Asked(world.api, "HEAD", f"/jobs/{id}/events")]
        else:
            open = await streams(world, id, 1)
            refused((await streams(world, id, 1))[0])
        if way == "its job ends":
            await world.finish(DONE)
            await pass_time(1)
        else:
            await end(open)
        assert open[0].task.done()
        [next] = await streams(world, await made(world), 1)
        assert next.status == 200
        await end([next])

    virtual.run(main())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wait_for_which_there_is_no_room_is_answered_at_once(method: str) -> None:
    async def main() -> None:
        world = World(connections=1)
        id = await made(world)
        waits = Asked(world.api, "GET", f"/jobs/{id}", prefer="wait=30")
        await pass_time(1)
        assert not waits.sent, "it lasts"
        path, body = (f"/jobs/{id}", b"") if method == "GET" else ("/jobs", ECHO)
        at_once = Asked(world.api, method, path, body, prefer="wait=30")
        await at_once.task
        assert (at_once.status, at_once.json["status"]) == (200 if method == "GET" else 201, "pending")
        assert "preference-applied" not in at_once.headers
        await world.finish(DONE)
        await waits.task
        assert waits.json["status"] == "completed"

    virtual.run(main())


def test_an_import_for_which_there_is_no_room_stores_nothing_and_says_so() -> None:
    async def main() -> None:
        world = World(connections=1)
        open = await streams(world, await made(world), 1)
        async with talk(world.api) as http:
            answer = await http.post("/jobs/import", content=ECHO, headers={"content-type": LINES})
            assert (answer.status_code, answer.json()["code"], answer.json()["imported"]) == (429, "FM610", 0)
            assert answer.headers["connection"] == "close", "the rest of its body is not waited for"
            await end(open)
            answer = await http.post("/jobs/import", content=ECHO, headers={"content-type": LINES})
            assert (answer.status_code, answer.json()) == (200, {"imported": 1})

    virtual.run(main())
