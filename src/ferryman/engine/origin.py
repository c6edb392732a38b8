"""Where a handler is written, so that another process finds it again."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from ferryman.domain.errors import BadHandler

_MAIN: Final = "__main__"
_HINT: Final = "Write it with def at the top level of a module."


class Origin(msgspec.Struct, frozen=True):
    """The module under which a function is to be imported, the file that it is in, its name there."""

    module: str
    file: str
    name: str
    """The qualified name: of a static method it has dots."""


def origin_of(function: Callable[..., Any]) -> Origin:
    """Where a function that is to run in a worker process is found.

    Raises:
        BadHandler: another process could not find or could not run it, saying why.
    """
    name = function.__qualname__
    if inspect.iscoroutinefunction(function):
        why = "A worker process runs one handler at a time, so there is nothing to gain from an event loop."
        raise _refused(name, f"is async def. {why}", "Write it with def, or leave process=True out.")
    if inspect.ismethod(function):
        raise _refused(name, "is bound to an object, which the other process does not have.", _HINT)
    if "<locals>" in name:
        raise _refused(name, "is a function inside a function.", _HINT)
    module = sys.modules.get(function.__module__)
    file = getattr(module, "__file__", None)
    if module is None or not file:
        raise _refused(name, f"is in {function.__module__}, which is no file that could be imported again.", _HINT)
    path = Path(file).absolute()
    return Origin(_importable_name(module, path), str(path), name)


def _importable_name(module: ModuleType, path: Path) -> str:
    """The module's name; the main module is imported under another one, so that it does not start to serve there."""
    if module.__name__ != _MAIN:
        return module.__name__
    return module.__spec__.name if module.__spec__ is not None else path.stem


def _refused(name: str, why: str, hint: str) -> BadHandler:
    return BadHandler(f"{name} cannot run in a worker process.", why=f"It {why}", hint=hint)
