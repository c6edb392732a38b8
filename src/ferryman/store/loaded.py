"""Classes of other libraries, known only if somebody else has imported them: nothing is imported for it here."""

from __future__ import annotations

import sys
from typing import Any


def loaded(module: str, name: str) -> Any:
    """A class by its module and name; None if its module is not in use, so that nothing can be an instance of it."""
    return getattr(sys.modules.get(module), name, None)


def is_a(thing: object, module: str, name: str) -> bool:
    """Whether something is an instance of a class that somebody else has imported."""
    kind = loaded(module, name)
    return kind is not None and isinstance(thing, kind)
