"""What runs say of themselves."""

from __future__ import annotations

import pytest

from ferryman.domain.report import Progress


@pytest.mark.parametrize(
    ("done", "total", "fraction"),
    [(0, 4, 0.0), (1, 4, 0.25), (4, 4, 1.0), (9, 4, 1.0), (1, None, None), (1, 0, None), (2**62, 0.5, 1.0)],
)
def test_a_fraction_lies_between_0_and_1(done: float, total: float | None, fraction: float | None) -> None:
    assert Progress(done, total, "", 0).fraction == fraction
