"""An error that the server tells is the same error here."""

from __future__ import annotations

import msgspec
import pytest

from ferryman.domain import errors
from ferryman.domain.errors import (
    BadFilter,
    FerrymanError,
    QueueFull,
    QuotaSpent,
    RemoteError,
    ScopeMissing,
    TooManyRequests,
    UniqueKeyTaken,
    WrongContent,
)
from ferryman.http import problems
from ferryman.http.remote.asking import Reply
from ferryman.http.remote.problems import error_of

SPECIAL: dict[type[FerrymanError], FerrymanError] = {
    BadFilter: BadFilter("Unread.", column=7, why="So it is.", hint="Write it."),
    UniqueKeyTaken: UniqueKeyTaken("Taken.", holder="01890a5d-ac96-774b-bcce-b302099a8057", hint="Wait."),
    QueueFull: QueueFull("Full.", retry_after=7, why="So it is.", hint="Wait."),
    ScopeMissing: ScopeMissing("No.", scope="operate", hint="Ask for it."),
    QuotaSpent: QuotaSpent("No more.", retry_after=3, quota=100, why="So it is."),
    TooManyRequests: TooManyRequests("Slower.", retry_after=3, rate=5.0, burst=10, why="So it is."),
    WrongContent: WrongContent("Wrong.", errors=(("/type", "Is missing."), ("/tags/1", "Is none.")), why="See."),
}
KINDS = [getattr(errors, name) for name in errors.__all__ if getattr(errors, name) is not RemoteError]


def told(error: FerrymanError) -> Reply:
    answer = problems.problem(error)
    return Reply(answer.status, {name.decode(): value.decode() for name, value in answer.headers}, answer.body)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_error_comes_back_as_what_it_was(kind: type[FerrymanError]) -> None:
    sent = SPECIAL.get(kind) or kind("It went wrong: \u00e9.", why="Somebody did it.", hint="Mend it.")
    got = error_of(told(sent))
    assert type(got) is kind
    assert (got.what, got.why, got.hint) == (" ".join(filter(None, (sent.what, sent.why))), "", sent.hint)
    assert str(got) == str(sent)
    extra = [name for name in vars(sent) if name not in ("what", "why", "hint", "traceback")]
    assert {name: getattr(got, name) for name in extra} == {name: getattr(sent, name) for name in extra}


def test_a_code_that_is_not_known_here_is_told_as_it_came() -> None:
    body = msgspec.json.encode({"code": "FM999", "status": 418, "detail": "A teapot.", "hint": "Brew."})
    got = error_of(Reply(418, {}, body))
    assert isinstance(got, RemoteError)
    assert (got.status, got.remote_code, got.hint) == (418, "FM999", "Brew.")
    assert "A teapot." in got.what


@pytest.mark.parametrize(
    "body", [b"<html>Bad gateway</html>", b"", b"{", b"[]", b'{"code": 7, "status": 400}', b"\xff\xfe", b'"\xc3"']
)
def test_what_is_no_problem_is_shown_in_part(body: bytes) -> None:
    got = error_of(Reply(502, {"content-type": "text/html"}, body + b" " * 10_000))
    assert isinstance(got, RemoteError)
    assert (got.status, got.remote_code) == (502, "")
    assert "502" in got.what
    assert "text/html" in got.what
    assert len(str(got)) < 1200
