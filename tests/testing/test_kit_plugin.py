"""The pytest plugin, and the test file that docs/testing.md shows, each in a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

from ferryman.testing import plugin

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"^```python file=(\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def pytest_in(folder: Path) -> str:
    """What pytest prints there, with our plugin as its only guest beside anyio's."""
    plugins = ["-p", "anyio", "-p", "ferryman.testing.plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", *plugins, f"--rootdir={folder}", "-q"],
        cwd=folder,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def write_example(folder: Path) -> None:
    """The shop; the payments on the same page are tried in tests/crashing."""
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8").partition("## Killing your handlers")[0]
    for name, text in FILE.findall(page):
        (folder / name).write_text(text)


def test_the_test_file_in_the_docs_passes(tmp_path: Path) -> None:
    write_example(tmp_path)
    text = (tmp_path / "test_shop.py").read_text()
    count = len(re.findall(r"^(?:async )?def test_", text, re.MULTILINE))
    assert f"{count} passed" in pytest_in(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} - {"__pycache__"} == {"conftest.py", "shop.py", "test_shop.py"}


def test_the_test_file_in_the_docs_notices_a_broken_shop(tmp_path: Path) -> None:
    write_example(tmp_path)
    shop = tmp_path / "shop.py"
    shop.write_text(shop.read_text().replace("send_receipt.call(order).later(DAY).enqueue()", "pass"))
    said = pytest_in(tmp_path)
    assert "Not enqueued: send_receipt(order=" in said
    assert "kit/look.py" not in said, "a failure should end in the test, not in the kit"


def test_without_an_app_the_fixture_says_what_to_define(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(ferryman_queue): ...\n")
    said = pytest_in(tmp_path)
    assert "define it in conftest.py" in said
    assert "1 error" in said


def test_pytest_takes_no_class_of_the_kit_for_a_test(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "from ferryman.testing.kit import AsyncTestQueue, Testing, TestQueue\n"
        "from ferryman.testing.plugin import App\n"
        "def test_it(): ...\n"
    )
    assert "1 passed" in pytest_in(tmp_path)


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    [(name, place)] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "pytest11"
    ].items()
    assert EntryPoint(name, place, "pytest11").load() is plugin
