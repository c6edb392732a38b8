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
        except ValueError:
            raise _invalid() from None  # its text may hold a part of the password
        if parts.fragment or ("@" in url and "@" not in parts.netloc):
            raise _invalid()  # the password has a / ? or # in it, and what follows would be shown
        options = dict(parse_qsl(parts.query))
        pooled = _pooled(options.pop(POOLER, None))
        hosts = options.get("host") or parts.netloc.rpartition("@")[2] or "localhost"
        user = unquote(parts.username or options.get("user") or "")
        database = unquote(parts.path.removeprefix("/")) or user
        port = options.get("port", "5432")
        where = ",".join(_with_port(each, port) for each in hosts.split(","))
        place = f"{where}, database {database or 'of the user'}, user {user or 'of this process'}"
        query = f"?{urlencode(options)}" if options else ""
        return cls(f"postgresql://{parts.netloc}{parts.path}{query}", place, pooled)


def _with_port(host: str, port: str) -> str:
    """A host with its port. Raises BadSetting: what stands there is none."""
    if ":" not in host or host.endswith("]"):  # the colons of [::1] are its own
        return f"{host}:{port}"
    if not host.rpartition(":")[2].isdigit():
        raise _invalid()
    return host


def _invalid() -> BadSetting:
    return BadSetting(
        "DATABASE_URL is not a valid PostgreSQL URL.",
        why="Its host and port cannot be told apart from the rest.",
        hint="Write postgresql://user:password@host:5432/database; special characters as %XX, such as %2F for /.",
    )


def _pooled(mode: str | None) -> bool:
    if mode not in (None, *MODES):
        raise BadSetting(
            f"DATABASE_URL says pooler={mode}.",
            why=f"Ferryman knows {' and '.join(MODES)}.",
            hint="Write pooler=transaction for PgBouncer in transaction mode; its session mode needs nothing.",
        )
    return mode == TRANSACTION
