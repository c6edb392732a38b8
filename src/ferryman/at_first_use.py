"""The way to the store, loaded when an app first uses it.

A module that only declares jobs needs no event loop, no settings and no SQLite, and most of what `import ferryman`
would cost is these. So `app.py` and its parts reach for them through this module: `at_first_use.connect(...)`.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ferryman.connecting import admission, client_of, connect, limits
    from ferryman.crossing import Crossing, refuse_inside_loop
    from ferryman.declare_schedule import schedule_of
    from ferryman.lodging import Lodging

__all__ = ["Crossing", "Lodging", "admission", "client_of", "connect", "limits", "refuse_inside_loop", "schedule_of"]

_HOMES: Final = MappingProxyType(
    {
        "Crossing": "ferryman.crossing",
        "Lodging": "ferryman.lodging",
        "admission": "ferryman.connecting",
        "client_of": "ferryman.connecting",
        "connect": "ferryman.connecting",
        "limits": "ferryman.connecting",
        "refuse_inside_loop": "ferryman.crossing",
        "schedule_of": "ferryman.declare_schedule",
    }
)


def __getattr__(name: str) -> object:
    """Load what is asked for."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(home), name)
    return found


def load() -> None:
    """Load all of it now."""
    for home in _HOMES.values():
        importlib.import_module(home)
