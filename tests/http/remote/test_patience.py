"""When a request is said again; nothing is sent here."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import (
    QueueFull,
    RemoteError,
    ServerUnreachable,
    ShuttingDown,
    StoreBusy,
    TooManyConnections,
    TooManyRequests,
)
from ferryman.http.remote.asking import Ask, Reply
from ferryman.http.remote.patience import Patience, Trouble, retry_after, trouble_of

ASK = Ask("GET", "/jobs")
ONCE = Ask("POST", "/jobs/x/retry", repeatable=False)
LOST = Trouble(ServerUnreachable("No answer."), unsure=True)
NOT_SENT = Trouble(ServerUnreachable("No connection."), unsure=False)
FULL = Trouble(QueueFull("Full.", retry_after=3), unsure=False, no_room=True, retry_after=3.0)
PATIENCE = Patience(retries=3, timeout=30.0)


def problem(status: int, code: str, **headers: str) -> Reply:
    told = f'{{"code": "{code}", "status": {status}, "detail": "x"}}'
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, told.encode())


def test_what_may_have_been_done_is_not_said_again_unless_it_is_repeatable() -> None:
    assert PATIENCE.pause(ASK, LOST, 1, 0.0, 0.5) is not None
    assert PATIENCE.pause(ONCE, LOST, 1, 0.0, 0.5) is None
    assert PATIENCE.pause(ONCE, NOT_SENT, 1, 0.0, 0.5) is not None


def test_pauses_grow_and_are_drawn_from_nothing_up() -> None:
    assert [PATIENCE.pause(ASK, LOST, tries, 0.0, 1.0) for tries in (1, 2, 3)] == [0.1, 0.2, 0.4]
    assert PATIENCE.pause(ASK, LOST, 3, 0.0, 0.0) == 0.0


def test_there_are_so_many_retries() -> None:
    assert PATIENCE.pause(ASK, LOST, 3, 0.0, 0.5) is not None
    assert PATIENCE.pause(ASK, LOST, 4, 0.0, 0.5) is None


def test_no_pause_reaches_the_deadline() -> None:
    assert PATIENCE.pause(ASK, LOST, 1, 29.89, 1.0) is not None
    assert PATIENCE.pause(ASK, LOST, 1, 29.9, 1.0) is None
    assert PATIENCE.pause(Ask("GET", "/jobs", within=1.0), LOST, 1, 0.95, 1.0) is None


def test_the_server_is_not_asked_before_it_wants_to_be() -> None:
    away = Trouble(ShuttingDown("Stopping."), unsure=False, retry_after=5.0)
    assert PATIENCE.pause(ASK, away, 1, 0.0, 0.0) == 5.0
    assert PATIENCE.pause(ASK, away, 1, 25.0, 0.0) is None


def test_for_room_it_waits_as_long_as_it_may_and_looks_once_more_at_the_end() -> None:
    assert PATIENCE.pause(ASK, FULL, 0, 0.0, 0.0) == 3.0
    assert PATIENCE.pause(ASK, FULL, 0, 29.0, 0.0) == 1.0
    assert PATIENCE.pause(ASK, FULL, 0, 30.0, 0.0) is None
    asked = Ask("POST", "/jobs", room=40.0)
    assert PATIENCE.within(asked) == 40.0
    assert PATIENCE.pause(asked, FULL, 0, 39.5, 0.0) == 0.5
    assert PATIENCE.pause(Ask("POST", "/jobs", room=0.0), FULL, 0, 0.0, 0.0) is None


@pytest.mark.parametrize(
    ("reply", "kind", "unsure", "no_room"),
    [
        (problem(429, "FM314", retry_after="7"), QueueFull, False, True),
        (problem(503, "FM450"), ShuttingDown, False, False),
        (problem(503, "FM451"), TooManyConnections, False, False),
        (problem(503, "FM207"), StoreBusy, True, False),
        (Reply(502, {}, b"<html>Bad gateway</html>"), RemoteError, True, False),
        (Reply(504, {}, b""), RemoteError, True, False),
        (problem(429, "FM606", retry_after="1"), TooManyRequests, False, False),
        (Reply(429, {}, b"slow down"), RemoteError, False, False),
    ],
)
def test_which_answers_another_try_may_mend(reply: Reply, kind: type, unsure: bool, no_room: bool) -> None:
    trouble = trouble_of(reply)
    assert trouble is not None
    assert (type(trouble.error), trouble.unsure, trouble.no_room) == (kind, unsure, no_room)


@pytest.mark.parametrize("status", [200, 201, 400, 404, 409, 422, 500, 501])
def test_every_other_answer_is_one(status: int) -> None:
    assert trouble_of(Reply(status, {}, b"")) is None


@pytest.mark.parametrize(("said", "seconds"), [("3", 3.0), (" 12 ", 12.0), ("", 0.0), ("soon", 0.0), ("-1", 0.0)])
def test_seconds_are_heard_and_nothing_else(said: str, seconds: float) -> None:
    assert retry_after(Reply(503, {"retry-after": said}, b"")) == seconds


def test_what_may_not_be_said_again_has_all_the_time_at_once() -> None:
    assert [PATIENCE.at_once(ONCE, spent) for spent in (0.0, 25.0, 40.0)] == [30.0, 5.0, 0.001]
    assert [PATIENCE.at_once(ASK, spent) for spent in (0.0, 25.0)] == [10.0, 5.0]
