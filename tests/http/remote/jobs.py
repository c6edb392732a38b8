"""Jobs for the tests of the client: how one is asked for, how one ends, which there are."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.client import JobRequest
from ferryman.domain.job import Job
from ferryman.domain.outcome import Outcome, What
from ferryman.store.protocol import JobFilter
from tests.http.world import World

MINE = "01890a5d-ac96-774b-bcce-b302099a8057"
DONE = Outcome(What.DONE, result='{"a":[1.5,"\u00e9"]}')


def echo(payload: str = "{}", **more: object) -> JobRequest:
    return JobRequest("echo", payload, **more)  # type: ignore[arg-type]


async def stored(world: World) -> Sequence[Job]:
    return await world.client.list(JobFilter(limit=10_000))
