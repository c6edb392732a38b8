"""The PostgreSQL store: the same verbs for many nodes."""

from __future__ import annotations

from ferryman.store.postgres.examining import Examined, examine
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.store import PostgresStore
from ferryman.store.postgres.target import Target

__all__ = ["Examined", "PostgresStore", "Schema", "Target", "examine"]
