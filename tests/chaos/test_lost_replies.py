"""A small campaign of lost answers, one that must fail, and the judge alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ferryman.client import Accepted
from ferryman.domain.job import Job, NewJob
from tests.chaos.lossy import DROPPED, LossyProxy
from tests.chaos.lost_replies import judge, main, run
from tests.postgres.databases import Databases


def job(id: str, n: int) -> Job:
    return Accepted(NewJob(id=id, type="note", payload=f'{{"n":{n}}}', created_at=1)).job()


def test_jobs_are_stored_once_though_a_fifth_of_the_answers_is_lost(tmp_path: Path) -> None:
    found = run(f"sqlite:///{tmp_path}/jobs.db", tmp_path / "jobs.db", 400, 0.2, 1)
    assert found.violations == []
    assert (found.said, found.stored) == (400, 400)
    assert all(found.answers[fate] for fate in DROPPED)


def test_the_same_on_postgresql(tmp_path: Path, postgres: Databases) -> None:
    url = postgres.fresh()
    found = run(url, tmp_path / "jobs.db", 200, 0.2, 1)
    assert (found.said, found.stored, found.violations) == (200, 200, [])
    postgres.drop(url)


def test_a_client_without_ids_is_found_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--jobs", "200", "--break", "ids", "--seed", "1"]) == 1
    assert "times" in capsys.readouterr().out


def test_an_answer_is_lost_as_often_as_is_asked() -> None:
    proxy = LossyProxy(1, 0.2, random.Random(1))
    lost = sum(proxy.draw() in DROPPED for _ in range(10_000))
    assert 1900 < lost < 2100


@pytest.mark.parametrize(
    ("said", "stored", "wrong"),
    [
        ({1: "a", 2: None}, [job("a", 1), job("b", 2)], []),
        ({1: "a"}, [], ["job 1 was said, and is not stored"]),
        ({}, [job("a", 1)], ["job 1 is stored, and was not said"]),
        ({1: "a"}, [job("a", 1), job("b", 1)], ["job 1 is stored 2 times"]),
        ({1: "a"}, [job("b", 1)], ["job 1 was told to be a, which is not stored for it"]),
    ],
)
def test_the_judge_sees_each_fault(said: dict[int, str | None], stored: list[Job], wrong: list[str]) -> None:
    assert judge(said, stored) == wrong
