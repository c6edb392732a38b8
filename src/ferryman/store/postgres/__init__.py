"""The PostgreSQL store: the same verbs for many nodes."""

from __future__ import annotations

from ferryman.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
