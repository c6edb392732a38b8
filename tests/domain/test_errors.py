from __future__ import annotations

import inspect
import re

import pytest

from ferryman.domain import errors
from ferryman.domain.errors import (
    FerrymanError,
    IdempotencyKeyReused,
    JobFailed,
    ProcessNotStarted,
    QueueFull,
    QuotaSpent,
    RemoteError,
    ScopeMissing,
    TooManyRequests,
    UniqueKeyTaken,
    WrongContent,
)
from ferryman.domain.job import ClaimedJob, Lane, NewJob

CLASSES = {
    name: kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, FerrymanError) and kind.__module__.startswith(errors.__name__)
}
DRAWN = re.findall(r"── (\w+) +(FM\d(?:\d\d|xx))", errors.__doc__ or "")


def test_the_drawing_is_the_tree() -> None:
    drawn = dict(DRAWN)
    assert set(drawn) | {"FerrymanError"} == set(CLASSES)
    for name, code in drawn.items():
        if not code.endswith("xx"):
            assert CLASSES[name].code == code


def test_what_a_family_defines_is_public_under_the_one_name() -> None:
    assert {kind.__name__ for kind in below(FerrymanError)} | {"FerrymanError"} == set(CLASSES) == set(errors.__all__)


def below(kind: type[FerrymanError]) -> set[type[FerrymanError]]:
    """All classes of Ferryman's that are derived from one, directly or not."""
    own = {each for each in kind.__subclasses__() if each.__module__.startswith(errors.__name__)}
    return own.union(*map(below, own))


def test_every_code_names_one_error_and_stands_under_its_branch() -> None:
    codes = [kind.code for kind in CLASSES.values()]
    assert len(codes) == len(set(codes))
    branch = ""
    for name, code in DRAWN:
        branch = code[:3] if code.endswith("xx") else branch
        assert code.startswith(branch), name


def test_an_error_says_what_why_and_what_to_do() -> None:
    error = IdempotencyKeyReused("It was used.", why="Another body.", hint="Take a new key.")
    assert str(error) == "FM313: It was used. Another body. Take a new key."
    assert error.link == "https://ferryman.readthedocs.io/errors#FM313"
    assert str(IdempotencyKeyReused("Alone.")) == "FM313: Alone."


@pytest.mark.parametrize(
    ("error", "field", "value"),
    [
        (UniqueKeyTaken("Taken.", holder="id"), "holder", "id"),
        (QueueFull("Full.", retry_after=3), "retry_after", 3),
        (RemoteError("Odd.", status=502), "status", 502),
        (RemoteError("Odd.", status=418, remote_code="FM999"), "remote_code", "FM999"),
        (JobFailed("Failed.", error_message="boom"), "error_message", "boom"),
        (ProcessNotStarted("Broken.", traceback="line 1"), "traceback", "line 1"),
        (ScopeMissing("Missing.", scope="read"), "scope", "read"),
        (TooManyRequests("Slowly.", retry_after=2, rate=0.5, burst=3), "retry_after", 2),
        (QuotaSpent("No more.", retry_after=60, quota=3), "retry_after", 60),
        (QuotaSpent("No more.", retry_after=60, quota=3), "quota", 3),
        (WrongContent("Wrong.", errors=(("/a", "no"),)), "errors", (("/a", "no"),)),
    ],
)
def test_some_errors_carry_more(error: FerrymanError, field: str, value: object) -> None:
    assert getattr(error, field) == value


def test_a_job_stands_in_the_lane_of_its_queue_type_and_priority() -> None:
    new = NewJob("id", "echo", "{}", 0, queue="mail", priority=2)
    assert new.lane == Lane("mail", "echo", 2)
    claimed = ClaimedJob("id", 1, 1, 0, 0, 1, new.lane, "{}", 5, None, 0, None, None, None, ())
    assert (claimed.type, claimed.queue) == ("echo", "mail")
