"""A copy of the tree, broken by one patch after the other, in which programs run as in the repository."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.mutants.patches import Patch

ROOT: Final = Path(__file__).parents[2]
PARTS: Final = ("src", "tests", "conftest.py", "pyproject.toml")
_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "*.patch", "*.db*")


class NoAnswer(Exception):
    """A program did not end in time; `args[0]` is what it had written until then."""


class Copy:
    """A copy of the tree in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(root / "src"),  # wins over the installed package
            "PYTHONDONTWRITEBYTECODE": "1",
            "GIT_CEILING_DIRECTORIES": str(root.parent),  # so that git takes it for no part of a repository
        }

    @contextmanager
    def broken(self, patch: Patch) -> Generator[None]:
        """Break it for a while.

        Raises:
            subprocess.CalledProcessError: the patch does not fit.
        """
        self._apply(patch)
        try:
            yield
        finally:
            self._apply(patch, "--reverse")

    def _apply(self, patch: Patch, *options: str) -> None:
        command = ["git", "apply", "--whitespace=nowarn", *options, "-"]
        subprocess.run(
            command, cwd=self.root, env=self._environment, input=patch.diff, text=True, capture_output=True, check=True
        )

    def python(self, *words: str, patience: float) -> tuple[int, str]:
        """Run a Python program in it; gives its exit code and what it wrote.

        Raises:
            NoAnswer: it ran for longer than `patience` seconds. It was killed, with its children.
        """
        with subprocess.Popen(
            [sys.executable, *words],
            cwd=self.root,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                written, _ = process.communicate(timeout=patience)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                written, _ = process.communicate()
                if isinstance(error, subprocess.TimeoutExpired):
                    raise NoAnswer(written) from None
                raise
        return process.returncode, written

    def must_be_imported(self) -> None:
        """Make sure that programs in it import it, and not the installed package."""
        _, where = self.python("-c", "import ferryman; print(ferryman.__file__)", patience=60)
        if not Path(where.strip()).is_relative_to(self.root):
            raise RuntimeError(f"Programs in the copy {self.root} import {where.strip()}.")

    def digest(self, parts: Iterable[str], *, without: str = "") -> str:
        """A hash of all files in some parts of the tree; those in the folder `without` do not count."""
        found = hashlib.sha256()
        for part in parts:
            whole = self.root / part
            for path in sorted(whole.rglob("*")) if whole.is_dir() else [whole]:
                left_out = without and path.is_relative_to(self.root / without)
                if path.is_file() and not left_out:
                    found.update(f"{path.relative_to(self.root)}\0".encode())
                    found.update(hashlib.sha256(path.read_bytes()).digest())
        return found.hexdigest()


@contextmanager
def copied(parts: Iterable[str] = PARTS) -> Generator[Copy]:
    """A copy of the tree as it stands, deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="ferryman-mutants-", ignore_cleanup_errors=True) as folder:
        root = Path(folder).resolve()
        for part in parts:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, root / part, ignore=_LEFT_OUT)
            else:
                shutil.copy(ROOT / part, root / part)
        yield Copy(root)
