"""Asking what was enqueued, and what a failed question says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from ferryman import Ferryman, errors
from ferryman.domain.state import Status
from ferryman.testing.kit import TestQueue

START = datetime(2030, 1, 1, tzinfo=UTC)
app = Ferryman("memory://")


@app.job(queue="mail")
async def send(to: str, *, subject: str = "hi") -> str:
    return to


@app.job
def report(day: datetime, key: UUID | None = None) -> None: ...


@app.job
def anything(**rest: Any) -> None: ...


@pytest.fixture
def queue() -> Iterator[TestQueue]:
    with app.testing(start=START) as queue:
        yield queue


def failure(queue: TestQueue, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        queue.assert_enqueued(*args, **kwargs)
    queue.assert_not_enqueued(*args, **kwargs)
    return str(caught.value)


def found(queue: TestQueue, *args: Any, **kwargs: Any) -> bool:
    with pytest.raises(AssertionError, match="Enqueued all the same"):
        queue.assert_not_enqueued(*args, **kwargs)
    queue.assert_enqueued(*args, **kwargs)
    return True


# -- jobs --------------------------------------------------------------------------------------------


def test_jobs_by_job_by_name_and_by_status(queue: TestQueue) -> None:
    send.enqueue("a")
    report.enqueue(START)
    queue.run_one()
    send.call("b").later(5).enqueue()
    assert [job.payload["to"] for job in queue.jobs(send)] == ["a", "b"]
    assert queue.jobs("send") == queue.jobs(send)
    assert [job.type for job in queue.jobs(status="completed")] == ["send"]
    assert [job.payload["to"] for job in queue.jobs(send, Status.SCHEDULED)] == ["b"]
    assert [job.payload["to"] for job in queue.jobs(filter="payload.to:b,c type:se*")] == ["b"]
    assert queue.jobs(anything) == []
    assert len(queue.jobs()) == 3


def test_what_can_be_no_answer_is_refused(queue: TestQueue) -> None:
    with pytest.raises(errors.BadOption, match=r"pendin.*pending, processing"):
        queue.jobs(status="pendin")
    with pytest.raises(errors.UnknownType, match="Did you mean send"):
        queue.assert_not_enqueued("sned")
    with pytest.raises(errors.BadOption, match="a job with its arguments"):
        queue.assert_enqueued(7)  # type: ignore[call-overload]
    with pytest.raises(errors.BadOption):
        queue.assert_enqueued("send", "a")  # type: ignore[call-overload]
    with pytest.raises(errors.WrongArgumentType):
        queue.assert_enqueued(send, 7)  # type: ignore[call-overload]


def test_a_job_tells_what_it_was_enqueued_with(queue: TestQueue) -> None:
    expires = START + timedelta(days=1)
    call = send.call("a").later(1.5).options(priority=2, max_attempts=1, unique_key="k", tags=["t"], expires_at=expires)
    id = call.enqueue().id
    job = queue.assert_enqueued(send)
    assert (job.id, job.queue, job.priority, job.max_attempts, job.unique_key) == (id, "mail", 2, 1, "k")
    assert (job.tags, job.created_at, job.run_at) == (("t",), START, START + timedelta(seconds=1.5))
    assert (job.expires_at, job.finished_at, job.result, job.error) == (expires, None, None, None)


# -- what fits ---------------------------------------------------------------------------------------


def test_by_job_alone_any_arguments_fit(queue: TestQueue) -> None:
    assert failure(queue, send) == "Not enqueued: send, with any arguments.\nNothing was enqueued at all."
    send.enqueue("a")
    assert found(queue, send)
    assert found(queue, "send")


def test_the_latest_is_given(queue: TestQueue) -> None:
    ids = [send.enqueue("a").id for _ in range(3)]
    assert queue.assert_enqueued(send, "a").id == ids[-1]


def test_arguments_by_position_by_name_and_by_default_are_the_same(queue: TestQueue) -> None:
    send.enqueue("a", subject="hi")
    assert found(queue, send, "a")
    assert found(queue, send, to="a", subject="hi")
    send.enqueue("b")
    assert found(queue, send, "b", subject="hi")
    assert failure(queue, send, "b", subject="ho")


def test_typed_arguments_are_compared_as_the_handler_gets_them(queue: TestQueue) -> None:
    key = UUID(int=7)
    report.enqueue(START, key)
    assert found(queue, report, datetime(2030, 1, 1, 1, tzinfo=UTC) - timedelta(hours=1), key)
    assert failure(queue, report, START)
    anything.enqueue(a=1, b=[1, 2])
    assert found(queue, anything, b=[1, 2], a=1)
    assert failure(queue, anything, a=1)
    assert failure(queue, anything, a=1, b=[1, 2], c=None)


def test_a_job_is_found_whatever_has_become_of_it(queue: TestQueue) -> None:
    send.enqueue("a")
    queue.run_all()
    assert queue.assert_enqueued(send, "a").status == "completed"


class Option(NamedTuple):
    given: dict[str, Any]
    other: dict[str, Any]
    said: str


OPTIONS = [
    Option({"queue": "slow"}, {"queue": "quick"}, "queue is 'slow', not 'quick'"),
    Option({"priority": 1}, {"priority": 0}, "priority is 1, not 0"),
    Option({"max_attempts": 2}, {"max_attempts": 3}, "max_attempts is 2, not 3"),
    Option({"timeout": 5}, {"timeout": 6}, "timeout is 5.0, not 6"),
    Option({"unique_key": "k"}, {"unique_key": "l"}, "unique_key is 'k', not 'l'"),
    Option({"tags": ["x", "y"]}, {"tags": ["z"]}, "it has no tag 'z'"),
    Option({"expires_at": START + timedelta(1)}, {"expires_at": START + timedelta(2)}, "it expires at another time"),
]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: next(iter(option.given)))
def test_a_call_is_compared_with_its_options(queue: TestQueue, option: Option) -> None:
    call = send.call("a")
    call.options(**option.given).enqueue()
    assert found(queue, call)
    assert found(queue, call.options(**option.given))
    assert option.said in failure(queue, call.options(**option.other))


def test_times_are_compared_with_those_of_the_enqueue(queue: TestQueue) -> None:
    send.call("a").later(60).enqueue()
    queue.advance(7)
    send.call("b").at(START + timedelta(hours=1)).enqueue()
    assert found(queue, send.call("a").later(timedelta(minutes=1)))
    assert "its delay is 60 s, not 61 s" in failure(queue, send.call("a").later(61))
    assert found(queue, send.call("b").at(START + timedelta(hours=1)))
    assert "it is to run at another time" in failure(queue, send.call("b").at(START))


def test_a_retry_does_not_change_what_was_asked_for(queue: TestQueue) -> None:
    @app.job(name="breaks")
    def breaks() -> None:
        raise LookupError

    breaks.call().later(60).enqueue()
    with pytest.raises(LookupError):
        queue.run_due(60)
    assert queue.jobs(breaks)[0].status == "scheduled"
    assert found(queue, breaks.call().later(60))


def test_a_type_that_only_its_payload_is_known_of(queue: TestQueue) -> None:
    other = Ferryman("memory://", accept_unknown_types=True)

    @other.job
    def known(a: int) -> None: ...

    with other.testing() as its:
        known.enqueue(1)
        del other.registry._handlers["known"]
        assert found(its, "known")
        assert found(its, known, 1)
        assert failure(its, known, 2)


def test_a_type_that_is_not_declared_any_more_is_made_as_it_was(queue: TestQueue) -> None:
    other = Ferryman("memory://")

    @other.job(queue="mail", max_attempts=1)
    def known(a: int) -> None: ...

    with other.testing() as its:
        del other.registry._handlers["known"]
        known.enqueue(1)
        [job] = its.jobs()
        assert (job.queue, job.max_attempts) == ("mail", 1)


# -- what a failure says -----------------------------------------------------------------------------


def test_a_failure_says_what_was_enqueued_instead_the_nearest_first(queue: TestQueue) -> None:
    send.enqueue("x", subject="y")
    send.enqueue("a", subject="ho")
    report.enqueue(START)
    report.enqueue(START)
    options = "priority is 5, not 1; its delay is 0 s, not 5 s"
    assert failure(queue, send.call("a").options(priority=1).later(5)).splitlines() == [
        "Not enqueued: send(to='a') with priority=1, delay=5.0.",
        f"  send(to='a', subject='ho'): subject is 'ho', not 'hi'; {options}",
        f"  send(to='x', subject='y'): to is 'x', not 'a'; subject is 'y', not 'hi'; {options}",
        "Of other types: report (2).",
    ]
    assert "with a time to run at.\n" in failure(queue, send.call("a").at(START))
    assert "with a time to expire at.\n" in failure(queue, send.call("a").options(expires_at=START + timedelta(1)))
    assert "c is not given, not 1" in _of_anything(queue)


def _of_anything(queue: TestQueue) -> str:
    anything.enqueue(a=1)
    return failure(queue, anything, a=1, c=1)


def test_a_failure_stays_short(queue: TestQueue) -> None:
    for number in range(8):
        send.enqueue(f"{number}")
    lines = failure(queue, send, "a").splitlines()
    assert len(lines) == 7
    assert lines[-1] == "  and 3 more"
    with pytest.raises(AssertionError, match="and 3 more"):
        queue.assert_not_enqueued(send)
