"""Settings: one table of names, defaults and allowed values, and the one reader of the environment."""

from __future__ import annotations

from ferryman.settings.kinds import Retention
from ferryman.settings.load import NOTHING, Loaded, examine, load
from ferryman.settings.table import TABLE, Setting, Settings

__all__ = ["NOTHING", "TABLE", "Loaded", "Retention", "Setting", "Settings", "examine", "load"]
