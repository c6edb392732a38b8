"""Deeds, and who does them."""

from __future__ import annotations

import pytest

from ferryman.domain.audit import Action, Deed, actor
from ferryman.domain.errors import BadOption


@pytest.mark.parametrize("wrong", ["", "a" * 129, "line\nbreak", "nul\0", None, 7])
def test_an_actor_is_a_short_text_that_can_be_printed(wrong: object) -> None:
    with pytest.raises(BadOption, match="actor"):
        actor(wrong)


@pytest.mark.parametrize("right", ["python", "api-key:deploy", "cli:Jürgen Groß@host", "a" * 128])
def test_an_actor_says_who_and_by_which_way(right: str) -> None:
    assert actor(right) == right


def test_a_deed_over_one_job_or_many() -> None:
    deed = Deed(1, "http", Action.JOB_PURGE, "*", {"queues": ["mail"]})
    assert deed.over(["b"]) == Deed(1, "http", "job.purge", "b", {"queues": ["mail"]})
    assert deed.over(["b", "a"]).detail == {"queues": ["mail"], "count": 2, "first": "a", "last": "b"}
