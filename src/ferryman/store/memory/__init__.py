"""The memory store: the reference meaning of every verb, in dicts that one event loop touches."""

from __future__ import annotations

from ferryman.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
