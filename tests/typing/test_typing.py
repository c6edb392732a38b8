"""What the type checkers of users see: right uses pass, and each wrong one is flagged."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.typing.checkers import CHECKERS, HERE, Lines, check, marked

Found = tuple[str, Lines, str]


@pytest.fixture(scope="module", params=CHECKERS)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """A checker's name, where it finds errors, and its words."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    return request.param, *check(request.param, folder)


def test_the_seven_mistakes_are_found_and_no_others(found: Found) -> None:
    _, lines, said = found
    assert len(marked()["mistakes"]) == 7
    assert lines["mistakes"] == marked()["mistakes"], said


def test_right_uses_raise_no_alarm(found: Found) -> None:
    _, lines, said = found
    assert lines["right"] == set(), said


def test_what_the_checkers_are_shown_as_right_is_so_when_it_runs() -> None:
    declared = runpy.run_path(str(HERE / "right.txt"))
    assert len(declared["app"].registry.types) == 13


def test_each_of_many_wrong_uses_is_found_and_no_right_one(found: Found) -> None:
    name, lines, said = found
    expected = marked()["uses"]
    if name == "ty":  # it does not check the names of keywords that a TypedDict declares
        expected -= marked('app.job(que="mail")  # wrong')["uses"]
    assert lines["uses"] == expected, said


def test_the_same_holds_for_what_speaks_to_a_server(found: Found) -> None:
    _, lines, said = found
    assert lines["remote"] == marked()["remote"], said
