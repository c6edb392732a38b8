"""How each type checker is run on the files of users, and what it found there.

The files are texts here, so that the checks of this project leave them alone. They are checked as a user has
them: in a folder of their own, without a setting of this project.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).parent
SOURCE: Final = HERE.parents[1] / "src"
CACHE: Final = HERE.parents[1] / ".mypy_cache"
BIN: Final = Path(sys.executable).parent
FILES: Final = ("mistakes", "remote", "right", "uses")
PATIENCE: Final = 300

Lines = Mapping[str, frozenset[int]]
"""Numbers of lines, by the file's name."""


class Checker(NamedTuple):
    """A type checker: its command for the files, its settings by file name, and how it reports an error."""

    command: Callable[[list[str]], list[str]]
    settings: Mapping[str, str]
    error: str
    """A regular expression for the file's name and the number of the line."""


def _mypy(files: list[str]) -> list[str]:
    return [f"{BIN}/mypy", "--strict", f"--cache-dir={CACHE}", *files]


def _pyright(files: list[str]) -> list[str]:
    return [sys.executable, "-m", "pyright", f"--pythonpath={sys.executable}", *files]


def _ty(files: list[str]) -> list[str]:
    search = f"--extra-search-path={SOURCE}"
    return [f"{BIN}/ty", "check", f"--python={sys.prefix}", search, "--output-format=concise", *files]


def _pyrefly(files: list[str]) -> list[str]:
    return [f"{BIN}/pyrefly", "check", "--config=pyrefly.toml", "--output-format=min-text"]


CHECKERS: Final[Mapping[str, Checker]] = {
    "mypy": Checker(_mypy, {"mypy.ini": f"[mypy]\nmypy_path = {SOURCE}\n"}, r"^(\w+)\.py:(\d+): error:"),
    "pyright": Checker(
        _pyright,
        {"pyrightconfig.json": f'{{"typeCheckingMode": "standard", "extraPaths": ["{SOURCE}"]}}'},
        r"(\w+)\.py:(\d+):\d+ - error:",
    ),
    "ty": Checker(_ty, {}, r"^(\w+)\.py:(\d+):\d+: error"),
    "pyrefly": Checker(
        _pyrefly,
        # without a file of settings it looks for a few mistakes only
        {
            "pyrefly.toml": f'preset = "default"\nproject-includes = ["*.py"]\nsearch-path = ["{SOURCE}"]\n'
            f'python-interpreter-path = "{sys.executable}"\n'
        },
        r"^ *ERROR .*?(\w+)\.py:(\d+):",
    ),
}


def marked(mark: str = "# wrong") -> Lines:
    """The lines that end with a mark."""
    return {
        name: frozenset(number for number, line in enumerate(_text(name).splitlines(), 1) if line.endswith(mark))
        for name in FILES
    }


def check(name: str, folder: Path) -> tuple[Lines, str]:
    """The lines in which a checker finds errors, and what it said."""
    checker = CHECKERS[name]
    for each in FILES:
        shutil.copy(HERE / f"{each}.txt", folder / f"{each}.py")
    for file, text in checker.settings.items():
        (folder / file).write_text(text)
    command = checker.command([f"{each}.py" for each in FILES])
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    found = {(file, int(line)) for file, line in re.findall(checker.error, done.stdout, re.MULTILINE)}
    lines = {each: frozenset(line for file, line in found if file == each) for each in FILES}
    return lines, f"{done.stdout}\n{done.stderr}"


def _text(name: str) -> str:
    return (HERE / f"{name}.txt").read_text(encoding="utf-8")
