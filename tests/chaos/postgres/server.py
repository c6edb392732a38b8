"""A PostgreSQL server of the campaign's own, as durable as one comes, and what can be done to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.target import Target
from tests.postgres import binaries
from tests.postgres.cluster import USER, Cluster

DATABASE: Final = "chaos"
ROLE: Final = "node"
"""As whom nodes work: it has no rights but those that running takes, and no place that is kept for it."""
MOST_CONNECTIONS: Final = 120
GRANTS: Final = (
    f"CREATE ROLE {ROLE} LOGIN",
    f"GRANT USAGE ON SCHEMA ferryman TO {ROLE}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ferryman TO {ROLE}",
    f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA ferryman TO {ROLE}",
)
IMMUNE: Final = "-c statement_timeout=0 -c default_transaction_read_only=off -c lock_timeout=2s"
"""What our own sessions are not to suffer from."""
CONNECT_SECONDS: Final = 5
TERMINATE: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND application_name <> %s"
)
OCCUPANT: Final = "occupant"
LEFT: Final = """
SELECT (SELECT count(*) FROM ferryman.ready) AS ready, (SELECT count(*) FROM ferryman.later) AS later,
    (SELECT count(*) FROM ferryman.held) AS held, (SELECT count(*) FROM ferryman.claim) AS claim,
    (SELECT count(*) FROM ferryman.key WHERE scope <> 'idempotency') AS unique_keys
"""

Connection = psycopg.Connection[Any]


class Server:
    """The server, from `start` to `close`."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="ferryman-chaos-postgres-"))
        settings = {"max_connections": str(MOST_CONNECTIONS), "shared_buffers": "128MB"}
        self._cluster = Cluster(folder, binaries.find(os.environ), durable=True, settings=settings)

    def start(self) -> None:
        """Start it, with a database that has our tables and a role for the nodes."""
        self._cluster.start()
        self._cluster.create(DATABASE)
        asyncio.run(Schema(Target.of(self.url)).migrate())
        with self._connected() as connection:
            for grant in GRANTS:
                connection.execute(grant.encode())

    def close(self) -> None:
        """Stop it, and leave nothing behind."""
        self._cluster.close()

    @property
    def url(self) -> str:
        """Where the database is, for those who may do everything."""
        return self._cluster.url(DATABASE)

    @property
    def node_url(self) -> str:
        """Where it is for nodes."""
        return self.url.replace(f"//{USER}@", f"//{ROLE}@")

    @property
    def version(self) -> str:
        """What the server says that it is."""
        with self._connected() as connection:
            return str(_one(connection, "SHOW server_version"))

    def left(self) -> dict[str, int]:
        """How many rows there are that should be gone once every job has ended."""
        with self._connected() as connection:
            cursor = connection.execute(LEFT)
            assert cursor.description is not None
            row = cursor.fetchone()
            assert row is not None
            return {column.name: count for column, count in zip(cursor.description, row, strict=True) if count}

    # -- going, and coming again -----------------------------------------------------------------

    @contextmanager
    def killed(self) -> Generator[None]:
        """Within this it is gone: all of its processes died at once."""
        self._cluster.kill()
        yield
        self._cluster.start()

    @contextmanager
    def stopped(self) -> Generator[None]:
        """The same after a stop in order, which tells clients."""
        self._cluster.stop()
        yield
        self._cluster.start()

    @contextmanager
    def stopped_at_once(self) -> Generator[None]:
        """The same after a stop that writes nothing down: it recovers when it comes again."""
        pid = int((self._cluster.folder / "data" / "postmaster.pid").read_text("utf-8").splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        self._cluster.stop()  # waits for its end
        yield
        self._cluster.start()

    # -- being difficult -------------------------------------------------------------------------

    def terminate(self) -> None:
        """An operator ends every session of the nodes."""
        with self._connected() as connection:
            connection.execute(TERMINATE, (ROLE, OCCUPANT))

    @contextmanager
    def set_to(self, name: str, value: str) -> Generator[None]:
        """Within this a setting of the whole server is another one."""
        self._alter("ALTER SYSTEM SET {} = {}", name, value)
        try:
            yield
        finally:
            self._alter("ALTER SYSTEM RESET {}", name)

    def _alter(self, command: LiteralString, name: str, *values: str) -> None:
        with self._connected() as connection:
            parts = [sql.Identifier(name), *map(sql.Literal, values)]
            connection.execute(sql.SQL(command).format(*parts))
            connection.execute("SELECT pg_reload_conf()")

    @contextmanager
    def locked(self, statement: str) -> Generator[None]:
        """Within this somebody else holds the locks that a statement takes; none where they cannot be had."""
        with self._connected(autocommit=False) as connection:
            with contextlib.suppress(psycopg.errors.LockNotAvailable):
                connection.execute(statement.encode())
            yield
            connection.rollback()

    @contextmanager
    def occupied(self) -> Generator[Callable[[], None]]:
        """Within this others have all the connections that the server gives; what is yielded takes those again that
        have become free."""
        with contextlib.ExitStack() as stack:

            def occupy() -> None:
                self.terminate()
                with contextlib.suppress(psycopg.OperationalError):
                    for _ in range(MOST_CONNECTIONS):
                        occupant = psycopg.connect(
                            self.node_url, application_name=OCCUPANT, connect_timeout=CONNECT_SECONDS
                        )
                        stack.enter_context(occupant)

            occupy()
            yield occupy

    def _connected(self, *, autocommit: bool = True) -> Connection:
        return psycopg.connect(self.url, autocommit=autocommit, options=IMMUNE, connect_timeout=CONNECT_SECONDS)


def _one(connection: Connection, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]
