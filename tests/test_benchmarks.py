"""The benchmarks measure what they say on a small scale; their figures are for people."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.before_after import interval
from benchmarks.imports import imported
from benchmarks.keyed_side import keys_of
from benchmarks.posts import PEER, RUNS, STORES, fresh, measure
from benchmarks.shares import before_first, furthest, most_between, while_both_wait
from tests.postgres.databases import Databases

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


@pytest.mark.parametrize(
    ("side", "measure", "figure"),
    [
        ("ferryman_side", "enqueue 20", "per_second"),
        ("ferryman_side", "enqueue 100 --callers 50", "per_second"),
        ("ferryman_side", "bulk 100", "per_second"),
        ("ferryman_side", "through 100", "per_second"),
        ("ferryman_side", "drain 100", "ended_per_second"),
        ("ferryman_side", "drain 100 --processes 2", "ended_per_second"),
        ("ferryman_side", "idle 5", "p50_ms"),
        ("ferryman_side", "across 5", "p50_ms"),
        ("pgqueuer_side", "drain 50", "ended_per_second"),
        ("chancy_side", "drain 20", "ended_per_second"),
        ("procrastinate_side", "drain 20", "ended_per_second"),
    ],
)
def test_a_measure_on_a_postgresql_server(postgres: Databases, side: str, measure: str, figure: str) -> None:
    url = postgres.empty()
    command = [sys.executable, "-m", f"benchmarks.postgres.{side}", url, *measure.split()]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    postgres.drop(url)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1])[figure] > 0


@pytest.mark.parametrize("measure", ["claims 300 --claims 5", "memory 2000", "late 300 --hold 0"])
def test_a_measure_of_a_backlog(postgres: Databases, measure: str) -> None:
    url = postgres.empty()
    command = [sys.executable, "-m", "benchmarks.postgres.backlog_run", url, *measure.split()]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    postgres.drop(url)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1])


@pytest.mark.parametrize("rule", ["plain", "counted", "limited", "shared"])
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_drain_of_jobs_with_keys(postgres: Databases, tmp_path: Path, store: str, rule: str) -> None:
    url = postgres.empty() if store == "postgres" else f"sqlite:///{tmp_path}/bench.db"
    command = [sys.executable, "-m", "benchmarks.keyed_side", url, rule, "100", "--keys", "30", "--late", "10"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if store == "postgres":
        postgres.drop(url)
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout.splitlines()[-1])
    assert figures["inserted"] > 0 and figures["drained"] > 0


def test_all_keys_come_in_turns_and_the_late_one_last() -> None:
    assert list(keys_of(6, 2, 2)) == ["0", "1", "0", "1", "late", "late"]


def test_claims_of_two_tenants_are_counted_for_the_table() -> None:
    command = [sys.executable, "-m", "benchmarks.shares", "--store", "memory", "--jobs", "60", "--late", "3"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith("no keys")]
    assert [(waited, between) for _, _, waited, between, _ in rows] == [("60", "0")] * 3


def test_how_the_claims_of_two_tenants_lie() -> None:
    order = [letter == "b" for letter in "aabaaabaabbaa"]
    assert before_first(order) == 2
    assert most_between(order) == 3
    assert while_both_wait(order) == order[:-2]
    assert most_between([True]) == 0


def test_how_far_claims_are_from_their_weights() -> None:
    assert furthest([letter == "b" for letter in "aaabaaab"], 3) == 3
    assert furthest([letter == "b" for letter in "aaaaab"], 3) == 5
    assert furthest([letter == "b" for letter in "bbaaaa"], 3) == 6


@pytest.mark.parametrize("design", ["ferryman", "classic"])
def test_churn_under_a_pinned_snapshot(postgres: Databases, design: str) -> None:
    url = postgres.empty()
    asked = [url, design, "--seconds", "0.5", "--window", "0.25", "--pinned"]
    command = [sys.executable, "-m", "benchmarks.postgres.pinned_run", *asked]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    postgres.drop(url)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1])


def test_posts_beside_a_fastapi_endpoint() -> None:
    with fresh("sqlite", "") as databases:
        found = measure(databases, 100)
    assert {name: each["requests"] for name, each in found.items()} == {STORES: 100, RUNS: 100, PEER: 100}


def test_an_import_and_the_memory_that_it_takes() -> None:
    with fresh("sqlite", "") as [database, *_]:
        told = imported(database, 3000)
    assert told.imported == 3000
    assert told.memory


def test_the_interval_lies_around_the_mean_of_the_ratios() -> None:
    mean, low, high = interval([0.5, 2.0, 1.0, 1.0], random.Random(0))
    assert mean == pytest.approx(1.0)
    assert 0.5 <= low < mean < high <= 2.0


def test_rounds_that_agree_leave_no_doubt() -> None:
    assert interval([1.25] * 4, random.Random(0)) == pytest.approx((1.25, 1.25, 1.25))


def test_a_measure_of_those_who_wait() -> None:
    command = [sys.executable, "-m", "benchmarks.waiting", "--clients", "4", "--seconds", "0.1"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("2 of 2 got their event") == 4
