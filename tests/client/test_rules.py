"""Rules as a client sets them: checked, and told to the nodes."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.client.rules import limit_of
from ferryman.domain.errors import BadOption
from ferryman.domain.limits import Limit


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ({}, Limit()),
        ({"concurrency": 3}, Limit(3)),
        ({"rate": 2}, Limit(None, 2.0, 1)),
        ({"rate": "30/m"}, Limit(None, 0.5, 1)),
        ({"concurrency": 3, "rate": 0.5, "burst": 7}, Limit(3, 0.5, 7)),
    ],
)
def test_a_limit_as_people_say_it(said: dict[str, Any], limit: Limit) -> None:
    assert limit_of(**said) == limit


@pytest.mark.parametrize(
    "said", [{"burst": 2}, {"concurrency": 3, "burst": 2}, {"concurrency": True}, {"rate": 0}, {"rate": "1/w"}]
)
def test_what_is_no_limit_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(BadOption):
        limit_of(**said)
