"""docs/jobs.md is right: its tables are compared with the code. Its examples are run by test_examples.py."""

from __future__ import annotations

import inspect
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from ferryman.calls import Call
from ferryman.declare import JobOptions
from ferryman.engine.signature import Signature

TEXT = (Path(__file__).parent.parent / "docs" / "jobs.md").read_text(encoding="utf-8")
ARGUMENTS = TEXT.partition("<!-- arguments: begin")[2].partition("<!-- arguments: end")[0]
ROWS = [
    (annotation, stored)
    for annotations, stored in re.findall(r"^\| (`.+`) \| `(.+)` \| .*\|$", ARGUMENTS, re.MULTILINE)
    for annotation in re.findall(r"`([^`]+)`", annotations.replace("\\|", "|"))
    if annotation not in ("bool", "str", "float")  # they share a row with int
]


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page's example declares."""
    [example] = re.findall(r"^```python file=jobs\.py\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    file = tmp_path_factory.mktemp("docs") / "jobs.py"
    file.write_text(example)
    return runpy.run_path(str(file))


@pytest.mark.parametrize(("annotation", "stored"), ROWS, ids=[annotation for annotation, _ in ROWS])
def test_each_row_of_arguments_is_read_and_written_as_it_says(
    annotation: str, stored: str, declared: dict[str, Any]
) -> None:
    def job(value: Any) -> None: ...

    job.__annotations__ = {"value": eval(annotation, declared)}
    signature = Signature(job)
    payload = f'{{"value":{stored}}}'
    assert signature.bind((), signature.decode(payload)) == payload


def test_every_row_was_read() -> None:
    assert len(ROWS) == 29


def test_the_table_of_options_is_that_of_declarations_and_calls() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (yes|) ?\| (yes|) ?\| .+ \|$", TEXT, re.MULTILINE)
    assert [name for name, declaration, _ in rows if declaration] == list(JobOptions.__annotations__)
    expected = {name for name in inspect.signature(Call.options).parameters if name != "self"}
    assert {name for name, _, call in rows if call} == expected
