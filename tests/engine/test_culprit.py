"""Where in the user's code an exception comes from."""

from __future__ import annotations

import json
from types import TracebackType

import pytest

from ferryman.domain.error_groups import NAME_MAX
from ferryman.domain.errors import BadFilter
from ferryman.domain.filters import parse
from ferryman.engine.culprit import frame_of


def raised(source: str, file: str, **names: object) -> TracebackType | None:
    """What is left of an exception that code in another file raised; without the frame that called it."""
    with pytest.raises((ValueError, ArithmeticError, BadFilter)) as caught:
        exec(compile(source, file, "exec"), names)
    return caught.value.__traceback__ and caught.value.__traceback__.tb_next


def boom() -> None:
    raise ValueError("no")


def test_it_is_the_innermost_function() -> None:
    assert frame_of(raised("def send():\n    boom()\nsend()", "/app/mail.py", boom=boom)) == "test_culprit.py:boom"
    assert frame_of(raised("def send():\n    1 / 0\nsend()", "/app/mail.py")) == "mail.py:send"
    assert frame_of(raised("1 / 0", "<string>")) == "<string>:<module>"


def test_the_standard_library_is_not_the_users() -> None:
    assert frame_of(raised("def read():\n    loads('{')\nread()", "/app/mail.py", loads=json.loads)) == "mail.py:read"


def test_ferryman_is_not_the_users() -> None:
    code = "def look():\n    parse('no', 0)\nlook()"
    assert frame_of(raised(code, "/app/mail.py", parse=parse)) == "mail.py:look"


@pytest.mark.parametrize("folder", ["/venv/lib/python3.11/site-packages", "/usr/lib/python3/dist-packages"])
def test_what_is_installed_is_not_the_users(folder: str) -> None:
    names: dict[str, object] = {}
    exec(compile("def get():\n    1 / 0", f"{folder}/requests/api.py", "exec"), names)
    assert frame_of(raised("def fetch():\n    get()\nfetch()", "/app/mail.py", get=names["get"])) == "mail.py:fetch"


def test_where_all_is_installed_it_is_the_handler() -> None:
    source = "def one():\n    two()\ndef two():\n    1 / 0\none()"
    trace = raised(source, "/lib/site-packages/shop/mail.py")
    assert frame_of(trace) == "mail.py:<module>"
    assert trace is not None
    assert frame_of(trace.tb_next) == "mail.py:one"


def test_ferryman_is_no_handler_where_it_is_installed_itself() -> None:
    ours, theirs = "/lib/site-packages/ferryman/", "/lib/site-packages/shop/mail.py"
    names: dict[str, object] = {}
    exec(compile("def send():\n    1 / 0", theirs, "exec"), names)
    trace = raised("send()", f"{ours}engine/executor.py", send=names["send"])
    assert frame_of(trace, ours) == "mail.py:send"


def test_handlers_of_the_demo_stand_for_a_users() -> None:
    assert frame_of(
        raised("def charge():\n    1 / 0\ncharge()", "/lib/ferryman/demo/billing.py"), "/lib/ferryman/"
    ) == ("billing.py:charge")


def test_a_place_has_a_bounded_length() -> None:
    name = "f" * 300
    found = frame_of(raised(f"def {name}():\n    1 / 0\n{name}()", "/app/mail.py"))
    assert found is not None
    assert len(found) == NAME_MAX


def test_nobody_knows_where_nothing_of_the_users_ran() -> None:
    assert frame_of(None) is None
    with pytest.raises(ValueError, match="property name") as caught:
        json.loads("{")
    assert caught.value.__traceback__ is not None
    assert frame_of(caught.value.__traceback__.tb_next) is None
