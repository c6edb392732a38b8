"""What the tests of endless streams have in common."""

from __future__ import annotations

import json

from tests.http.slowly import Asked
from tests.http.world import World


async def made(world: World, **body: object) -> str:
    """The id of a job that is handed in while streams are open."""
    asked = Asked(world.api, "POST", "/jobs", json.dumps({"type": "echo", **body}).encode())
    await asked.task
    id: str = asked.json["id"]
    return id


def last_id(asked: Asked) -> str:
    """What a browser sends when it comes again."""
    return [each["id"] for each in asked.events if "id" in each][-1]


async def leave(*asked: Asked) -> None:
    """Those who listened go."""
    for each in asked:
        each.leave()
        await each.task
