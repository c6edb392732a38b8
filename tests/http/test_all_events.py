"""GET /events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ferryman.client import JobRequest
from ferryman.domain.outcome import Outcome, What
from ferryman.http.events import STILL_HERE
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.http.slowly import Asked
from tests.http.streams import last_id, leave, made
from tests.http.world import World, is_problem, talk

DONE = Outcome(What.DONE, result='"done"')


def told(asked: Asked) -> list[dict[str, Any]]:
    """The changes among the events."""
    found = [(each["event"], json.loads(each["data"])) for each in asked.events if each.get("event", "gap") != "gap"]
    assert all(event == data["status"] for event, data in found)
    return [data for _, data in found]


def gaps(asked: Asked) -> int:
    return [each.get("event") for each in asked.events].count("gap")


def test_each_change_of_each_job_is_an_event() -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "GET", "/events")
        await pass_time(1)
        assert asked.headers["content-type"] == "text/event-stream"
        assert asked.headers["cache-control"] == "no-store"
        assert asked.events[0] == {"retry": "2000"}
        one = await made(world)
        await world.finish(DONE)
        two = await made(world, queue="mail")
        await world.client.cancel(two)
        await pass_time(1)
        at = "2026-01-01T00:00:00.000000Z"
        job = {"id": one, "queue": "default", "type": "echo", "at": at}
        mail = {**job, "id": two, "queue": "mail"}
        assert told(asked) == [
            {**job, "status": "pending", "what": "created", "claim": 0},
            {**job, "status": "completed", "what": "done", "claim": 1},
            {**mail, "status": "pending", "what": "created", "claim": 0},
            {**mail, "status": "cancelled", "what": "cancelled", "claim": 1},
        ]
        ids = [each["id"] for each in asked.events if "event" in each]
        assert len(set(ids)) == 4
        await leave(asked)
        assert len(world.client.listening) == 0

    virtual.run(main())


def test_the_query_says_which() -> None:
    async def main() -> None:
        world = World()
        queries = ("queue=mail&queue=x", "type=e*o&status=completed&status=failed", "type=mail.*", "status=pending")
        asked = [Asked(world.api, "GET", f"/events?{query}") for query in queries]
        await pass_time(1)
        one = await made(world)
        await world.finish(DONE)
        two = await made(world, queue="mail")
        await pass_time(1)
        found = [[(each["id"], each["status"]) for each in told(stream)] for stream in asked]
        assert found == [
            [(two, "pending")],
            [(one, "completed")],
            [],
            [(one, "pending"), (two, "pending")],
        ]
        await leave(*asked)

    virtual.run(main())


@pytest.mark.anyio
@pytest.mark.parametrize("query", ["status=processing", "status=waiting", "status=done", "kind=x", "queue=", "limit=5"])
async def test_what_cannot_be_asked_for_is_refused(query: str) -> None:
    async with talk(World().api) as http:
        is_problem(await http.get(f"/events?{query}"), 400, "FM401")


def test_who_comes_again_misses_nothing_and_hears_nothing_twice() -> None:
    async def main() -> None:
        world = World()
        first = Asked(world.api, "GET", "/events?queue=default")
        await pass_time(1)
        heard = [await made(world)]
        await pass_time(1)
        await made(world, queue="mail")
        await pass_time(1)
        await leave(first)
        missed = [await made(world), await made(world)]
        again = Asked(world.api, "GET", "/events?queue=default", last_event_id=last_id(first))
        await pass_time(1)
        missed.append(await made(world))
        await pass_time(1)
        assert [each["id"] for each in told(first)] == heard
        assert [each["id"] for each in told(again)] == missed
        assert gaps(again) == 0
        await leave(again)

    virtual.run(main())


def test_who_comes_too_late_hears_of_a_gap_and_goes_on() -> None:
    async def main() -> None:
        world = World()
        first = Asked(world.api, "GET", "/events")
        await pass_time(1)
        await leave(first)
        world.clock.advance(3600)
        await made(world)
        again = Asked(world.api, "GET", "/events", last_event_id=last_id(first))
        await pass_time(1)
        id = await made(world)
        await pass_time(1)
        assert (gaps(again), [each["id"] for each in told(again)]) == (1, [id])
        assert [each["event"] for each in again.events if "event" in each] == ["gap", "pending"]
        await leave(again)

    virtual.run(main())


def test_a_comment_says_that_somebody_is_still_there_and_how_far_the_client_has_heard() -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "GET", "/events?queue=nobody")
        await pass_time(1)
        before = last_id(asked)
        await made(world)
        await pass_time(2 * STILL_HERE)
        assert [set(each) for each in asked.events[1:]] == [{"id"}] * 3
        assert last_id(asked) != before
        await leave(asked)
        again = Asked(world.api, "GET", "/events", last_event_id=last_id(asked))
        await pass_time(1)
        assert told(again) == []
        await leave(again)

    virtual.run(main())


def shown(key: dict[str, str]) -> Any:
    return {name.lower(): value for name, value in key.items()}


def test_a_limited_key_hears_of_its_queues_only() -> None:
    async def main() -> None:
        world = World()
        key = shown(await world.key("read", queues=["mail", "post"]))
        asked = [Asked(world.api, "GET", f"/events{query}", **key) for query in ("", "?queue=mail", "?queue=default")]
        await pass_time(1)
        for queue in ("mail", "default", "post"):
            await world.client.enqueue(JobRequest("echo", queue=queue))
        await pass_time(1)
        assert [[each["queue"] for each in told(stream)] for stream in asked[:2]] == [["mail", "post"], ["mail"]]
        assert (asked[2].status, asked[2].json["code"]) == (403, "FM604")
        await leave(*asked[:2])

    virtual.run(main())


def test_a_stream_tells_nothing_once_its_key_has_ended() -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "GET", "/events", **shown(await world.key("read")))
        await pass_time(1)
        await world.client.access.revoke("web")
        world.clock.advance(1)
        await world.client.enqueue(JobRequest("echo"))
        await asked.task
        assert told(asked) == []
        assert asked.has_ended()

    virtual.run(main())
