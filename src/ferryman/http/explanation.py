"""An explanation as JSON."""

from __future__ import annotations

import msgspec

from ferryman.domain.explain import Condition, Explanation
from ferryman.domain.state import Status
from ferryman.http.wire import Moment, write_moment


class ExplanationJson(msgspec.Struct, frozen=True):
    """Why a job has not started."""

    id: str
    status: Status
    summary: str
    conditions: tuple[Condition, ...]
    ahead: int | None
    estimated_start: Moment | None


def explanation_json(told: Explanation) -> bytes:
    """Every member is always there."""
    start = told.estimated_start
    return msgspec.json.encode(
        ExplanationJson(
            told.id,
            told.status,
            told.summary,
            told.conditions,
            told.ahead,
            None if start is None else write_moment(start),
        )
    )
