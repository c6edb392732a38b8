"""A control group with little memory, so that the kernel kills in it and nowhere else. Version 1 only, and as root."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path("/sys/fs/cgroup/memory")
MEMBERS: Final = "cgroup.procs"
NEEDED: Final = (
    "The campaign needs a control group with little memory, so that the kernel kills handlers for want of it:\n"
    f"run it as root where {ROOT} is the memory controller of control groups, version 1, and can be written."
)


def available() -> bool:
    """Whether a group can be made here."""
    return os.access(ROOT / MEMBERS, os.W_OK) and _own() is not None


class Group:
    """A group of its own below the root. It has to be empty when it is removed."""

    def __init__(self, megabytes: int) -> None:
        self._folder = ROOT / f"ferryman-{os.getpid()}"
        self._folder.mkdir()
        (self._folder / "memory.limit_in_bytes").write_text(f"{megabytes}M")

    @contextmanager
    def inside(self) -> Generator[None]:
        """What is started in this block lives in the group; the caller is there only meanwhile."""
        home = _own()
        assert home is not None
        _move(self._folder)
        try:
            yield
        finally:
            _move(home)

    @property
    def kills(self) -> int:
        """How often the kernel has killed in it."""
        lines = (self._folder / "memory.oom_control").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def remove(self) -> None:
        """Give it back."""
        self._folder.rmdir()


def _move(folder: Path) -> None:
    (folder / MEMBERS).write_text(str(os.getpid()))


def _own() -> Path | None:
    """The group that this process is in; inside a container what is mounted may be the group itself."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if "memory" in controllers.split(","):
            folder = ROOT / group.lstrip("/")
            return folder if folder.is_dir() else ROOT
    return None
