"""Where a PostgreSQL database is, as a URL says it."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from ferryman.domain.errors import BadSetting

POOLER: Final = "pooler"
"""The parameter of a URL that says how a pooler gives sessions away."""
TRANSACTION: Final = "transaction"
MODES: Final = ("session", TRANSACTION)


class Target(NamedTuple):
    """A database, with what may be said of it aloud."""

    url: str
    """As drivers take it, with the password."""
    place: str
    """Host, port, database and user, for people; never the password."""
    pooled: bool = False
    """Whether there is a pooler in between that gives each transaction another session of the server."""

    @classmethod
    def of(cls, url: str) -> Target:
        """Read a URL.

        Raises:
            BadSetting: it is not one that names a database on a server.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or 5432
        except ValueError as error:
            raise BadSetting(
                "DATABASE_URL is not a valid PostgreSQL URL.",
                why=f"{error}.",
                hint="Write postgresql://user:password@host:5432/database; special characters as %XX.",
            ) from error
        options = dict(parse_qsl(parts.query))
        pooled = _pooled(options.pop(POOLER, None))
        host = options.get("host") or parts.hostname or "localhost"
        user = unquote(parts.username or options.get("user") or "")
        database = unquote(parts.path.removeprefix("/")) or user
        place = f"{host}:{port}, database {database or 'of the user'}, user {user or 'of this process'}"
        head = url.replace("postgres://", "postgresql://", 1).partition("?")[0]
        return cls(f"{head}?{urlencode(options)}" if options else head, place, pooled)


def _pooled(mode: str | None) -> bool:
    if mode not in (None, *MODES):
        raise BadSetting(
            f"DATABASE_URL says pooler={mode}.",
            why=f"Ferryman knows {' and '.join(MODES)}.",
            hint="Write pooler=transaction for PgBouncer in transaction mode; its session mode needs nothing.",
        )
    return mode == TRANSACTION
