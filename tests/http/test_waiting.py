"""Prefer: wait, and GET /jobs/{id}/events."""

from __future__ import annotations

import asyncio
import json

import pytest

from ferryman.client.watching import INTERVAL
from ferryman.domain.errors import StoreBusy
from ferryman.domain.outcome import Outcome, What
from ferryman.http.events import STILL_HERE
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.http.slowly import Asked
from tests.http.world import DAY, UNKNOWN, Failing, World

DONE = Outcome(What.DONE, result='"done"')
ECHO = b'{"type":"echo"}'


async def made(world: World, body: bytes = ECHO) -> str:
    asked = Asked(world.api, "POST", "/jobs", body)
    await asked.task
    id: str = asked.json["id"]
    return id


def now() -> float:
    return asyncio.get_running_loop().time()


def watched(world: World) -> int:
    """How many jobs somebody watches."""
    return len(world.client.watcher)


# -- Prefer: wait --------------------------------------------------------------------------------------


def test_a_job_is_answered_once_it_has_ended() -> None:
    async def main() -> None:
        world = World()
        id = await made(world)
        asked = Asked(world.api, "GET", f"/jobs/{id}", prefer="wait=30")
        await pass_time(10)
        assert not asked.sent
        await world.finish(DONE)
        await asked.task
        assert now() <= 10 + INTERVAL
        assert (asked.status, asked.json["status"], asked.json["result"]) == (200, "completed", "done")
        assert asked.headers["preference-applied"] == "wait=30"
        assert watched(world) == 0

    virtual.run(main())


def test_a_new_job_is_answered_once_it_has_ended() -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "POST", "/jobs", ECHO, prefer="wait=30")
        await pass_time(10)
        assert not asked.sent
        await world.finish(DONE)
        await asked.task
        assert (asked.status, asked.json["status"]) == (201, "completed")
        assert asked.headers["location"] == f"/jobs/{asked.json['id']}"
        assert asked.headers["preference-applied"] == "wait=30"

    virtual.run(main())


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=5", 5),
        ("Wait = 5", 5),
        ('wait="5"', 5),
        ("respond-async, wait=5; x=y", 5),
        ("respond-async|wait=5", 5),
        ("wait=5, wait=9", 5),
        ("wait=0", 0),
        ("wait=61", 60),
        ("wait=" + "9" * 5000, 60),
    ],
)
def test_a_job_that_has_not_ended_in_time_is_answered_as_it_is(method: str, prefer: str, seconds: int) -> None:
    async def main() -> None:
        world = World()
        path = "/jobs" if method == "POST" else f"/jobs/{await made(world)}"
        asked = Asked(world.api, method, path, ECHO if method == "POST" else b"", prefer=prefer)
        await asked.task
        assert asked.json["status"] == "pending"
        assert asked.headers["preference-applied"] == f"wait={seconds}"
        assert now() == pytest.approx(seconds)

    virtual.run(main())


@pytest.mark.parametrize(
    "prefer",
    [
        "",
        "wait",
        "wait=",
        "wait=soon",
        "wait=-1",
        "wait=1.5",
        'wait="',
        "wait=1 2",
        "waits=5",
        "x=wait=5",
        "wait=x, wait=5",
    ],
)
def test_what_cannot_be_read_is_as_if_it_were_not_there(prefer: str) -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "GET", f"/jobs/{await made(world)}", prefer=prefer)
        await asked.task
        assert (asked.status, asked.json["status"], now()) == (200, "pending", 0)
        assert "preference-applied" not in asked.headers

    virtual.run(main())


def test_who_waits_for_a_job_that_is_not_there_is_told_at_once() -> None:
    async def main() -> None:
        asked = Asked(World().api, "GET", f"/jobs/{UNKNOWN}", prefer="wait=9")
        await asked.task
        assert (asked.status, asked.json["code"], now()) == (404, "FM404", 0)

    virtual.run(main())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stop_answers_those_who_wait(method: str) -> None:
    async def main() -> None:
        world, stop = World(), asyncio.Event()
        path = "/jobs" if method == "POST" else f"/jobs/{await made(world)}"
        asked = Asked(world.api, method, path, ECHO if method == "POST" else b"", stop=stop, prefer="wait=60")
        await pass_time(1)
        await world.claim()
        stop.set()
        await asked.task
        assert (asked.status, asked.json["status"]) == (201 if method == "POST" else 200, "processing")
        assert (now(), watched(world)) == (1, 0)

    virtual.run(main())


def test_who_goes_away_waits_no_more() -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "GET", f"/jobs/{await made(world)}", prefer="wait=60")
        await pass_time(1)
        assert watched(world) == 1
        asked.leave()
        await asked.task
        assert not asked.sent
        assert watched(world) == 0

    virtual.run(main())


def test_a_job_is_accepted_though_nobody_can_say_what_becomes_of_it() -> None:
    class Unreadable:
        """A client that takes jobs, and whose store fails after that."""

        def __init__(self, world: World) -> None:
            self.enqueue, self.shown = world.client.enqueue, world.client.shown
            self.waiting = Failing(StoreBusy("no"))

        def __getattr__(self, name: str) -> object:
            return getattr(world.client, name)

    world = World()

    async def main() -> None:
        asked = Asked(world.over(Unreadable(world)), "POST", "/jobs", ECHO, prefer="wait=9")  # type: ignore[arg-type]
        await asked.task
        assert (asked.status, asked.json["status"], now()) == (201, "pending", 0)

    virtual.run(main())


# -- events --------------------------------------------------------------------------------------------


def seen(asked: Asked) -> list[tuple[str, str]]:
    """The event and the status of each."""
    return [(each["event"], json.loads(each["data"])["status"]) for each in asked.events if "event" in each]


def test_each_change_is_an_event_until_the_end() -> None:
    async def main() -> None:
        world = World()
        id = await made(world)
        asked = Asked(world.api, "GET", f"/jobs/{id}/events")
        await pass_time(1)
        assert asked.headers["content-type"] == "text/event-stream"
        assert asked.headers["cache-control"] == "no-store"
        assert asked.events[0] == {"retry": "2000"}
        assert seen(asked) == [("job", "pending")]
        job = Asked(world.api, "GET", f"/jobs/{id}")
        await job.task
        assert asked.events[1]["data"].encode() == job.body
        await world.claim()
        await pass_time(1)
        assert seen(asked) == [("job", "pending"), ("job", "processing")]
        assert not asked.has_ended()
        await world.client.cancel(id)
        await world.store.force_cancel(world.clock.now() + 1, world.clock.now())
        await asked.task
        assert seen(asked)[2:] == [("job", "cancelled"), ("end", "cancelled")]
        assert asked.has_ended()
        assert watched(world) == 0
        ids = [each["id"] for each in asked.events if each.get("event") == "job"]
        assert len(set(ids)) == 3

    virtual.run(main())


def test_who_comes_again_is_told_only_what_is_new() -> None:
    async def main() -> None:
        world = World()
        id = await made(world)
        first = Asked(world.api, "GET", f"/jobs/{id}/events")
        await pass_time(1)
        first.leave()
        await first.task
        last = first.events[-1]["id"]
        again = Asked(world.api, "GET", f"/jobs/{id}/events", last_event_id=last)
        await pass_time(1)
        assert again.events == [{"retry": "2000"}]
        await world.finish(DONE)
        await again.task
        assert seen(again) == [("job", "completed"), ("end", "completed")]
        last = again.events[1]["id"]
        over = Asked(world.api, "GET", f"/jobs/{id}/events", last_event_id=last)
        await over.task
        assert (over.status, over.body) == (204, b"")

    virtual.run(main())


def test_a_retry_begins_a_new_story() -> None:
    async def main() -> None:
        world = World()
        id = await made(world)
        await world.client.cancel(id)
        asked = Asked(world.api, "GET", f"/jobs/{id}/events")
        await asked.task
        await world.client.retry(id)
        again = Asked(world.api, "GET", f"/jobs/{id}/events", last_event_id=asked.events[1]["id"])
        await pass_time(1)
        assert seen(again) == [("job", "pending")]
        again.leave()
        await again.task

    virtual.run(main())


def test_a_comment_says_that_somebody_is_still_there() -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "GET", f"/jobs/{await made(world)}/events")
        await pass_time(2 * STILL_HERE + 1)
        assert asked.events[2:] == [{}, {}]
        assert asked.body.endswith(b"\n\n:\n\n:\n\n")
        asked.leave()
        await asked.task
        assert watched(world) == 0

    virtual.run(main())


def test_a_stop_ends_every_stream() -> None:
    async def main() -> None:
        world, stop = World(), asyncio.Event()
        id = await made(world)
        streams = [Asked(world.api, "GET", f"/jobs/{id}/events", stop=stop) for _ in range(3)]
        await pass_time(1)
        stop.set()
        await asyncio.gather(*(each.task for each in streams))
        assert all(each.has_ended() and seen(each) == [("job", "pending")] for each in streams)
        assert (now(), watched(world)) == (1, 0)

    virtual.run(main())


def test_a_stream_whose_job_vanishes_breaks_off() -> None:
    async def main() -> None:
        world = World()
        id = await made(world)
        asked = Asked(world.api, "GET", f"/jobs/{id}/events")
        await pass_time(1)
        await world.store.cancel(id, world.clock.now())
        world.clock.advance(DAY)
        await asked.task
        assert asked.has_ended()
        assert seen(asked) == [("job", "pending")]

    virtual.run(main())


def test_an_event_is_one_line_and_shows_no_secret() -> None:
    async def main() -> None:
        world = World()
        id = await made(world, b'{"type":"echo","payload":{"token":"hush"}}')
        await world.finish(Outcome(What.DONE, result='{\n"a":\r\n"\\n"}'))
        asked = Asked(world.api, "GET", f"/jobs/{id}/events")
        await asked.task
        told = json.loads(asked.events[1]["data"])
        assert told["payload"] == {"token": "***"}
        assert told["result"] == {"a": "\n"}

    virtual.run(main())


def test_a_job_that_is_not_there_has_no_events() -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "GET", f"/jobs/{UNKNOWN}/events")
        await asked.task
        assert (asked.status, asked.json["code"]) == (404, "FM404")
        asked = Asked(world.api, "GET", f"/jobs/{await made(world)}/events", accept="application/json")
        await asked.task
        assert asked.status == 406

    virtual.run(main())


def test_head_has_no_events() -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "HEAD", f"/jobs/{await made(world)}/events")
        await asked.task
        assert (asked.status, asked.body) == (200, b"")

    virtual.run(main())
