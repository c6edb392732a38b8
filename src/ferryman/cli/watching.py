"""Has the system tell of changes to files. Needs the package watchfiles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType] - its types name those of trio

LONGEST: Final = 5000
"""Milliseconds after which files are looked at in any case: a change before the watch began is found by that."""


def wait_to_be_told(source: Path, settings: Path) -> Callable[[], Awaitable[None]]:
    """Wait until something below the folders has changed."""
    steps: AsyncIterator[object] = awatch(
        source, settings, rust_timeout=LONGEST, yield_on_timeout=True, watch_filter=None, ignore_permission_denied=True
    )

    async def wait() -> None:
        await anext(steps)

    return wait
