"""Jobs for commands to find."""

from __future__ import annotations

from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


async def some(bench: Bench) -> dict[str, str]:
    """One job in each status, by status."""
    ends = [Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.PROCESSING, Status.SCHEDULED, Status.PENDING]
    found: dict[str, str] = {}
    for status in ends:
        found[status.value] = await bench.bring(status, type="mail" if status is Status.PENDING else "echo")
        bench.clock.advance(1)
    return found


async def mails(bench: Bench) -> list[str]:
    """Three jobs with payloads; the second one has failed."""
    first = await bench.bring(Status.CANCELLED, type="mail", payload='{"user":{"id":1,"name":"Anna B"}}', tags=("x",))
    failed = await bench.bring(Status.FAILED, payload='{"user":{"id":2}}')
    return [first, failed, await bench.bring(Status.PENDING, type="mail", payload='{"user":{"id":1}}')]
