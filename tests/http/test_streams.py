"""How the streams end that nobody leaves."""

from __future__ import annotations

import asyncio

import pytest

from ferryman.domain.errors import StoreClosed
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.http.slowly import Asked
from tests.http.world import World


@pytest.mark.parametrize("path", ["/events", "/live"])
def test_a_stop_ends_every_stream(path: str) -> None:
    async def main() -> None:
        world, stop = World(), asyncio.Event()
        streams = [Asked(world.api, "GET", path, stop=stop) for _ in range(3)]
        await pass_time(1)
        assert len(world.client.listening) + len(world.client.pulses) == 3
        stop.set()
        await asyncio.gather(*(each.task for each in streams))
        assert all(each.has_ended() for each in streams)
        assert len(world.client.listening) + len(world.client.pulses) == 0

    virtual.run(main())


@pytest.mark.parametrize(("path", "verb"), [("/events", "journal"), ("/live", "counts")])
def test_the_end_of_the_store_ends_the_stream(path: str, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        world = World()
        asked = Asked(world.api, "GET", path)
        await pass_time(1)

        async def closed(*_: object) -> None:
            raise StoreClosed("closed")

        monkeypatch.setattr(world.store, verb, closed)
        await asked.task
        assert asked.has_ended()
        refused = Asked(world.api, "GET", path)
        await refused.task
        assert refused.status == 503

    virtual.run(main())
