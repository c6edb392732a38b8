"""An explanation as JSON."""

from __future__ import annotations

import msgspec

from ferryman.domain.explain import Explanation
from ferryman.http.wire import write_moment


def explanation_json(told: Explanation) -> bytes:
    """Every member is always there."""
    start = told.estimated_start
    return msgspec.json.encode(
        {
            "id": told.id,
            "status": told.status,
            "summary": told.summary,
            "conditions": told.conditions,
            "ahead": told.ahead,
            "estimated_start": None if start is None else write_moment(start),
        }
    )
