"""The payments of docs/testing.md: their tests pass, and the report on the page is the one that they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
SECTION = PAGE.read_text(encoding="utf-8").partition("## Killing your handlers")[2]
FILE = re.compile(r"^```python file=(\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ROW = re.compile(r"^  (killed twice|killed|overtaken) +(\w+) +(\w+) ", re.MULTILINE)


def test_the_payments_in_the_docs_are_tried_and_found_as_told(tmp_path: Path) -> None:
    for name, text in FILE.findall(SECTION):
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-s", f"--rootdir={tmp_path}"],
        cwd=tmp_path,
        # a run that stands in its transaction is overtaken when that is rolled back
        env=os.environ | {"FERRYMAN_TRANSACTION_TIMEOUT": "0.3"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert "3 passed" in done.stdout, done.stdout
    # which lines there are is Python's affair; where one is doubled is ours
    assert set(ROW.findall(done.stdout)) == set(ROW.findall(SECTION))
    assert "seed=0, most=100" in done.stdout
    assert {each.name for each in tmp_path.iterdir()} - {"__pycache__"} == {
        "bank.py",
        "payments.py",
        "test_payments.py",
    }
