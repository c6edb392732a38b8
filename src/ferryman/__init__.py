"""Ferryman, a job queue for Python: every job crosses once."""

from __future__ import annotations

from ferryman.app import Ferryman
from ferryman.domain import errors
from ferryman.domain.keyed import PerKey, Sequence
from ferryman.domain.secrets import Secret
from ferryman.engine.context import Context
from ferryman.engine.signals import Cancel, Retry, Snooze
from ferryman.handle import Handle
from ferryman.version import VERSION

__version__ = VERSION

__all__ = [
    "Cancel",
    "Context",
    "Ferryman",
    "Handle",
    "PerKey",
    "Retry",
    "Secret",
    "Sequence",
    "Snooze",
    "__version__",
    "errors",
]
