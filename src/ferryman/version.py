"""The version, read by the build, the command line and the node's row in the store."""

from __future__ import annotations

VERSION = "0.1.0"
