"""Finds a handler in a worker process: imports its module and looks for the app that declared it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from ferryman.domain.errors import ProcessNotStarted
from ferryman.engine.endings import plain
from ferryman.engine.origin import Origin
from ferryman.engine.registry import Handler, Registry


class Found(NamedTuple):
    """A handler, and the app that declared it here: its hooks are those around the runs."""

    registry: Registry
    handler: Handler


class Handlers:
    """The handlers that this process has met."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        """`settings` are the node's, for what the handlers enqueue."""
        self._settings = settings
        self._found: dict[tuple[str, Origin], Found] = {}

    def get(self, type: str, origin: Origin) -> Found:
        """The handler of a type whose function is written there.

        Raises:
            ProcessNotStarted: its module cannot be imported, or declares no such job.
        """
        found = self._found.get((type, origin))
        if found is None:
            found = self._found[type, origin] = _find(type, origin)
            found.registry.settings = self._settings
        return found


def _find(type: str, origin: Origin) -> Found:
    module = _import(origin)
    for candidate in _candidates(module, origin.name):
        registry = _registry_of(candidate)
        handler = None if registry is None else registry.get(type)
        if registry is not None and handler is not None and handler.origin == origin:
            return Found(registry, handler)
    raise ProcessNotStarted(
        f"The worker process found no job of type {type} for {origin.name} in {origin.file}.",
        hint="Declare it with @app.job(process=True) in the module in which the function is written.",
    )


def _candidates(module: ModuleType, name: str) -> Iterator[object]:
    """What may know the app: the function's own name, as it was declared there; else anything beside it."""
    declared: object = module
    for part in name.split("."):
        declared = getattr(declared, part, None)
    yield declared
    yield from list(vars(module).values())


def _registry_of(candidate: object) -> Registry | None:
    """Apps and declared jobs have one."""
    try:
        registry = getattr(candidate, "registry", None)
    except Exception:  # whatever lies in a module may do anything when it is asked
        return None
    return registry if isinstance(registry, Registry) else None


def _import(origin: Origin) -> ModuleType:
    """The module by its name; from its file where that name leads elsewhere, or nowhere."""
    try:
        there = sys.modules.get(origin.module)
        if there is None and not _leads_to(origin):
            return _load(origin)
        module = there or importlib.import_module(origin.module)
    except (Exception, SystemExit) as error:
        text = plain("".join(traceback.format_exception(error)))
        last = text.strip().splitlines()[-1]
        raise ProcessNotStarted(
            f"The worker process could not import {origin.module}.",
            why=f"{last}.",
            hint=f"It imports {origin.file} anew; it has to be importable more than once.",
            traceback=text,
        ) from error
    return module


def _leads_to(origin: Origin) -> bool:
    """Whether importing the name would load that file."""
    try:
        spec = importlib.util.find_spec(origin.module)
    except ModuleNotFoundError:
        return False
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve() == Path(origin.file).resolve()


def _load(origin: Origin) -> ModuleType:
    spec = importlib.util.spec_from_file_location(origin.module, origin.file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{origin.file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[origin.module] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[origin.module]
        raise
    return module
