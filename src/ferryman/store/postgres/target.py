"""Where a PostgreSQL database is, as a URL says it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from ferryman.domain.errors import BadSetting


class Target(NamedTuple):
    """A database, with what may be said of it aloud."""

    url: str
    """As drivers take it, with the password."""
    place: str
    """Host, port, database and user, for people; never the password."""

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
        host = options.get("host") or parts.hostname or "localhost"
        user = unquote(parts.username or options.get("user") or "")
        database = unquote(parts.path.removeprefix("/")) or user
        place = f"{host}:{port}, database {database or 'of the user'}, user {user or 'of this process'}"
        return cls(url.replace("postgres://", "postgresql://", 1), place)
