"""The benchmarks measure what they say on a small scale; their figures are for people."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.before_after import interval

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("measure", "figure"),
    [
        ("enqueue 20", "per_second"),
        ("enqueue50 100", "per_second"),
        ("through 100", "per_second"),
        ("drain 100", "per_second"),
        ("idle 5", "p50_ms"),
    ],
)
def test_a_measure_in_a_process_of_its_own(measure: str, figure: str) -> None:
    command = [sys.executable, "-m", "benchmarks.ferryman_side", *measure.split()]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)[figure] > 0


def test_the_interval_lies_around_the_mean_of_the_ratios() -> None:
    mean, low, high = interval([0.5, 2.0, 1.0, 1.0], random.Random(0))
    assert mean == pytest.approx(1.0)
    assert 0.5 <= low < mean < high <= 2.0


def test_rounds_that_agree_leave_no_doubt() -> None:
    assert interval([1.25] * 4, random.Random(0)) == pytest.approx((1.25, 1.25, 1.25))
