"""How a Chromium is found, and installed where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.browser.chromium import NoChromium, find
from tests.browser.install import ready


def program(folder: Path, name: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


class Apt:
    """Runs nothing; installs chromium if it is told to."""

    def __init__(self, folder: Path, code: int = 0, *, brings: bool = True) -> None:
        self.said: list[list[str]] = []
        self._folder = folder
        self._code = code
        self._brings = brings

    def __call__(self, command: Sequence[str]) -> int:
        self.said.append([*command[:3]])
        if "install" in command and self._brings:
            program(self._folder, "chromium")
        return self._code


def test_the_one_that_is_said_is_taken(tmp_path: Path) -> None:
    said = program(tmp_path, "mine")
    program(tmp_path, "chromium")
    assert find({"CHROMIUM": said, "PATH": str(tmp_path)}) == said
    assert ready({"CHROMIUM": said}, Apt(tmp_path), is_root=True) == said


def test_one_that_is_said_and_is_none_is_not_replaced(tmp_path: Path) -> None:
    apt = Apt(tmp_path)
    with pytest.raises(NoChromium, match="that is no program"):
        ready({"CHROMIUM": str(tmp_path / "none"), "PATH": str(tmp_path)}, apt, is_root=True)
    assert apt.said == []


def test_one_of_the_system_is_taken_as_it_is(tmp_path: Path) -> None:
    apt = Apt(tmp_path)
    found = program(tmp_path, "google-chrome")
    assert ready({"PATH": str(tmp_path)}, apt, is_root=True) == found
    assert apt.said == []


@pytest.mark.parametrize(("is_root", "first"), [(True, "apt-get"), (False, "sudo")])
def test_apt_installs_it_where_it_is_missing(tmp_path: Path, is_root: bool, first: str) -> None:
    program(tmp_path, "apt-get")
    program(tmp_path, "sudo")
    apt = Apt(tmp_path)
    assert ready({"PATH": str(tmp_path)}, apt, is_root=is_root) == str(tmp_path / "chromium")
    assert [command[0] for command in apt.said] == [first, first]


@pytest.mark.parametrize(
    ("programs", "is_root", "said"),
    [
        ((), True, "no apt-get"),
        (("apt-get",), False, "needs root, or sudo"),
        (("apt-get",), True, "failed; its own words are above"),
    ],
)
def test_where_it_cannot_be_installed_it_is_said_what_to_do(
    tmp_path: Path, programs: tuple[str, ...], is_root: bool, said: str
) -> None:
    for name in programs:
        program(tmp_path, name)
    with pytest.raises(NoChromium, match=f"{said}.*CHROMIUM=/path/to/chromium"):
        ready({"PATH": str(tmp_path)}, Apt(tmp_path, code=100, brings=False), is_root=is_root)
