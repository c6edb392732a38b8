"""GET /live."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ferryman.client.pulses import Pulse
from ferryman.domain.errors import StoreFailed
from ferryman.domain.outcome import Outcome, What
from ferryman.http import live
from ferryman.http.events import STILL_HERE
from ferryman.http.live import PulseJson, pulse_json
from ferryman.store.protocol import Counts
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.http.slowly import Asked
from tests.http.streams import last_id, leave, made
from tests.http.world import World, is_problem, talk

DONE = Outcome(What.DONE, result='"done"')
AT = "2026-01-01T00:00:00.000000Z"


def pulses(asked: Asked) -> list[dict[str, Any]]:
    found = [each for each in asked.events if "event" in each]
    assert all(each["event"] == "live" for each in found)
    return [json.loads(each["data"]) for each in found]


def test_the_numbers_are_told_at_once_and_whenever_they_have_changed() -> None:
    async def main() -> None:
        world = World()
        await made(world, queue="mail")
        await world.finish(DONE)
        asked = Asked(world.api, "GET", "/live")
        await pass_time(1)
        assert (asked.status, asked.headers["content-type"]) == (200, "text/event-stream")
        assert asked.events[0] == {"retry": "2000"}
        standing = {"waiting": 0, "scheduled": 0, "pending": 0, "processing": 0}
        ended = {"completed": 1, "failed": 0, "cancelled": 0}
        first = {
            "at": AT,
            "counts": {**standing, **ended},
            "queues": [],
            "enqueued": 1,
            "ended": ended,
            "nodes": 1,
        }
        assert pulses(asked) == [first]
        await made(world, queue="mail")
        await pass_time(1)
        mail = {"queue": "mail", **standing, "pending": 1, "oldest_pending_seconds": 0.0}
        counts = {**standing, "pending": 1, **ended}
        assert pulses(asked) == [first, first | {"counts": counts, "queues": [mail], "enqueued": 2}]
        assert len({each["id"] for each in asked.events if "id" in each}) == 2
        await leave(asked)
        assert len(world.client.pulses) == 0

    virtual.run(main())


def test_each_queue_has_viewers_of_its_own() -> None:
    async def main() -> None:
        world = World()
        asked = [Asked(world.api, "GET", f"/live{query}") for query in ("?queue=mail", "?queue=mail&queue=x", "")]
        await pass_time(1)
        await made(world)
        await pass_time(1)
        await made(world, queue="x")
        await pass_time(1)
        assert [[each["enqueued"] for each in pulses(stream)] for stream in asked] == [[0], [0, 1], [0, 1, 2]]
        await leave(*asked)

    virtual.run(main())


def test_a_limited_key_has_its_queues_alone() -> None:
    async def main() -> None:
        world = World()
        key = (await world.key("read", queues=["mail"]))["Authorization"]
        asked = Asked(world.api, "GET", "/live", authorization=key)
        refused = Asked(world.api, "GET", "/live?queue=default", authorization=key)
        await pass_time(1)
        assert refused.status == 403
        owner = (await world.key("enqueue", name="owner"))["Authorization"]
        for queue in ("default", "mail"):
            body = json.dumps({"type": "echo", "queue": queue}).encode()
            await Asked(world.api, "POST", "/jobs", body, authorization=owner).task
        await pass_time(1)
        assert [each["enqueued"] for each in pulses(asked)] == [0, 1]
        assert [each["queue"] for each in pulses(asked)[-1]["queues"]] == ["mail"]
        await leave(asked)

    virtual.run(main())


def test_the_bytes_of_a_pulse_are_made_once_for_all_who_look_at_the_same_queues(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        world, forms = World(), list[PulseJson]()

        def noted(pulse: Pulse) -> PulseJson:
            forms.append(pulse_json(pulse))
            return forms[-1]

        monkeypatch.setattr(live, "pulse_json", noted)
        asked = [Asked(world.api, "GET", "/live?queue=mail") for _ in range(50)]
        asked += [Asked(world.api, "GET", "/live") for _ in range(50)]
        await pass_time(1)
        await made(world, queue="mail")
        await pass_time(1)
        assert [len(pulses(each)) for each in asked] == [2] * 100
        assert len(forms) == 4
        await leave(*asked)

    virtual.run(main())


def test_who_comes_again_is_told_when_something_is_different() -> None:
    async def main() -> None:
        world = World()
        await made(world)
        first = Asked(world.api, "GET", "/live")
        await pass_time(1)
        world.clock.advance(5)
        await leave(first)
        again = Asked(world.api, "GET", "/live", last_event_id=last_id(first))
        await pass_time(1)
        assert pulses(again) == [], "that the job waits for longer is no news"
        await made(world)
        await pass_time(1)
        assert [each["queues"][0]["oldest_pending_seconds"] for each in pulses(again)] == [5.0]
        other = Asked(world.api, "GET", "/live", last_event_id=last_id(first))
        await pass_time(1)
        assert len(pulses(other)) == 1
        await leave(again, other)

    virtual.run(main())


def test_a_comment_says_that_somebody_is_still_there() -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "GET", "/live")
        await pass_time(2 * STILL_HERE + 1)
        assert asked.body.endswith(b"\n\n:\n\n:\n\n")
        assert len(pulses(asked)) == 1
        await leave(asked)

    virtual.run(main())


def test_where_the_store_fails_no_stream_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        world = World()
        counts, errors = world.store.counts, list[Exception]()

        async def failing(now: int) -> Counts:
            if errors:
                raise errors[0]
            found: Counts = await counts(now)
            return found

        monkeypatch.setattr(world.store, "counts", failing)
        errors.append(StoreFailed("no disk"))
        refused = [Asked(world.api, "GET", "/live") for _ in range(3)]
        await pass_time(1)
        assert [each.status for each in refused] == [503] * 3
        errors.clear()
        asked = Asked(world.api, "GET", "/live")
        await pass_time(1)
        assert (asked.status, len(pulses(asked))) == (200, 1)
        errors.append(StoreFailed("no disk"))
        await pass_time(1)
        late = Asked(world.api, "GET", "/live")
        await pass_time(1)
        assert late.status == 503
        errors.clear()
        await made(world)
        await pass_time(1)
        assert len(pulses(asked)) == 2, "who was there already has waited"
        await leave(asked)

    virtual.run(main())


@pytest.mark.anyio
@pytest.mark.parametrize("query", ["type=echo", "status=failed", "queue="])
async def test_what_cannot_be_asked_for_is_refused(query: str) -> None:
    async with talk(World().api) as http:
        is_problem(await http.get(f"/live?{query}"), 400, "FM401")
