"""One job among many, as POST /jobs takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ferryman.client import JobRequest
from ferryman.domain.errors import BadParameter, FerrymanError, WrongContent
from ferryman.http.exchange import Request
from ferryman.http.wire import NEEDED, OF_A_JOB, described_by


def read_item(value: object, on_conflict: str | None, within: frozenset[str] | None, at: str = "") -> JobRequest:
    """The job that a JSON value asks for; `at` is where it stands in the body, `within` as for one job alone.

    Raises:
        WrongContent: naming every member that is wrong, with its pointer.
    """
    if not isinstance(value, dict):
        raise WrongContent("This is not a JSON object.", errors=((at, "Should be an object."),))
    given = cast("dict[str, object]", value)
    asked = described_by(given, OF_A_JOB, NEEDED, "This does not describe a job.", at)
    if on_conflict is not None:
        asked["on_conflict"] = on_conflict
    return JobRequest(**asked, within=within)


def refusals(told: Mapping[int, str | FerrymanError]) -> int:
    """How many jobs the store refused, of those that it was told to store each for itself."""
    return sum(not isinstance(each, str) for each in told.values())


def refuse_idempotency_key(request: Request) -> None:
    """Refuse the header where it cannot be kept: a key stands for one job. Raises BadParameter."""
    if b"idempotency-key" in request.headers:
        raise BadParameter(
            "There is no Idempotency-Key for many jobs.",
            why="A key stands for one job.",
            hint="Leave it out, and give each job an id of its own: then it is stored once, however often it is sent.",
        )
