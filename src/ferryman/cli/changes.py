"""Tells when source files change."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

PERIOD: Final = 0.5
"""Seconds between two looks where nobody tells of changes."""
CONFIGURATION: Final = ("ferryman.toml", "pyproject.toml")
_PASSED_OVER: Final = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})

Stamp = tuple[int, int]
"""When a file was changed, and its size."""


class Changes:
    """The .py files below a folder and the settings files of another; compares how they are with how they were."""

    def __init__(self, source: Path, settings: Path, wait: Callable[[], Awaitable[None]]) -> None:
        """`wait` returns when it may be worth to look."""
        self._source = source
        self._settings = settings
        self._wait = wait
        self._known = self._look()

    async def next(self) -> Path:
        """Wait for a change since the last one, or since the beginning; gives a file that changed."""
        while True:
            known, self._known = self._known, self._look()
            changed = {path for path, _ in known.items() ^ self._known.items()}
            if changed:
                return min(changed)
            await self._wait()

    def _look(self) -> Mapping[Path, Stamp]:
        return {path: stamp for path in self._paths() if (stamp := _stamp(path)) is not None}

    def _paths(self) -> Iterator[Path]:
        for folder, names, files in os.walk(self._source):
            names[:] = [name for name in names if not name.startswith(".") and name not in _PASSED_OVER]
            yield from (Path(folder) / name for name in files if name.endswith(".py"))
        yield from (self._settings / name for name in CONFIGURATION)


def wait_by_looking(source: Path, settings: Path) -> Callable[[], Awaitable[None]]:  # noqa: ARG001 - see watching.py
    """Wait for the next of the looks at regular times."""

    async def wait() -> None:
        await asyncio.sleep(PERIOD)

    return wait


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
