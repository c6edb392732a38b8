"""How often the kernel has killed for want of memory: what tells such a kill from anybody else's SIGKILL."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")
_PROC: Final = Path("/proc")
_V1_FILE: Final = "memory.oom_control"


class OomKills:
    """Reads the counter that is nearest to this process: that of its control group, else the machine's."""

    def __init__(self, proc: Path = _PROC, cgroups: Path = _CGROUPS) -> None:
        """Find the counter, once: a process seldom moves to another group."""
        self._counter = next((path for path in _places(proc, cgroups) if _read(path) is not None), None)

    def __call__(self) -> int:
        """The counter, which only grows; 0 where the system has none."""
        return (_read(self._counter) or 0) if self._counter is not None else 0


def _places(proc: Path, cgroups: Path) -> list[Path]:
    """Where a counter may be, the nearest first: control groups of version 2, then 1, then the machine."""
    groups: dict[str, str] = {}
    try:
        for line in (proc / "self" / "cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            groups.update((each, group.lstrip("/")) for each in controllers.split(","))
    except (OSError, ValueError):
        groups = {}
    places: list[Path] = []
    for controllers, folder, file in (("", cgroups, "memory.events"), ("memory", cgroups / "memory", _V1_FILE)):
        if controllers in groups:
            # inside a container the group's folder may be out of sight; what is mounted is then the group itself
            places += [folder / groups[controllers] / file, folder / file]
    return [*places, proc / "vmstat"]


def _read(path: Path) -> int | None:
    """The number behind `oom_kill`; None where the file does not say it."""
    try:
        for line in path.read_bytes().splitlines():
            if line.startswith(b"oom_kill "):
                return int(line.split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return None
