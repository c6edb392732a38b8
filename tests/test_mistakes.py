"""The ten commonest mistakes of docs/errors.md: each is made, and answered as the page says, in the same words."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

SECTION = (Path(__file__).parents[1] / "docs" / "errors.md").read_text(encoding="utf-8").partition("## The ten")[2]
JOBS = re.findall(r"```python file=jobs\.py\n(.*?)```", SECTION, re.DOTALL)


class Mistake(NamedTuple):
    title: str
    language: str
    text: str
    answer: str


MISTAKES = [
    Mistake(*found)
    for found in re.findall(
        r"\*\*\d+\. (.+?)\*\*.*?```(\w+) mistake\n(.*?)```\n\n```text\n(.*?)\n```", SECTION, re.DOTALL
    )
]


def test_there_are_ten() -> None:
    assert len(MISTAKES) == 10
    assert len(JOBS) == 1


@pytest.mark.parametrize("mistake", MISTAKES, ids=[each.title for each in MISTAKES])
def test_a_mistake_is_answered_in_the_words_of_the_page(mistake: Mistake, tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(JOBS[0])
    (tmp_path / "mistake.py").write_text(mistake.text)
    command = ["mistake.py"] if mistake.language == "python" else ["-m", *shlex.split(mistake.text)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    pattern = re.escape(mistake.answer).replace(re.escape("..."), ".+?")
    assert re.search(rf"(^|: ){pattern}$", done.stderr, re.MULTILINE), done.stderr
