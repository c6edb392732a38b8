"""How many jobs a search looks at in one go."""

from __future__ import annotations

from ferryman.domain.filters import JobFilter
from ferryman.domain.ids import floor_of
from ferryman.domain.job import Job
from ferryman.domain.state import Status
from ferryman.store.searching import FIRST_STRIDE, LOAD, STRIDE, Search


def a_job(payload: str) -> Job:
    return Job(
        id="", type="send", queue="default", priority=5, status=Status.PENDING, attempt=0, max_attempts=1, claim=0,
        payload=payload, result=None, error=None, run_at=None, created_at=0, started_at=None, finished_at=None,
        expires_at=None, worker_id=None, node=None, unique_key=None, tags=(),
    )  # fmt: skip


def steps(payload: str, filter: JobFilter) -> list[int]:
    """The steps of a search that finds nothing in jobs with such payloads."""
    search, job, found = Search(filter), a_job(payload), []
    for look in range(8):
        found.append(search.step)
        search.look([floor_of(look * 10**6 + n) for n in range(search.step)], lambda _: job)
    return found


def test_steps_grow_while_jobs_are_small() -> None:
    taken = steps("{}", JobFilter(tags=frozenset({"none"})))
    assert taken[:3] == [FIRST_STRIDE, 2 * FIRST_STRIDE, 4 * FIRST_STRIDE]
    assert taken[-1] == STRIDE


def test_large_jobs_are_read_a_few_at_a_time() -> None:
    assert steps("x" * (LOAD // 8), JobFilter(tags=frozenset({"none"})))[1:] == [8] * 7
    assert steps("x" * 2 * LOAD, JobFilter(tags=frozenset({"none"})))[2:] == [1] * 6


def test_where_no_job_is_read_to_be_judged_a_step_is_a_page() -> None:
    assert steps("x" * LOAD, JobFilter(limit=3, types=frozenset({"other"})))[1:] == [3] * 7
