"""PgBouncer in transaction mode, between the proxies and the server; for campaigns where it is installed."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tests.chaos.postgres.server import DATABASE, ROLE
from tests.postgres.account import server_account
from tests.postgres.ports import HOST, free_port

PROGRAM: Final = "pgbouncer"
NEEDED: Final = "--pooler needs PgBouncer: on Debian and Ubuntu, apt-get install pgbouncer"
SESSIONS: Final = 40
"""Of the server, for all nodes together."""
LOGIN_RETRY: Final = 1.0
"""Seconds for which it refuses everybody when the server has refused it once."""
SETTINGS: Final = """
[databases]
{database} = host={host} port={server} dbname={database}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 1000
server_reset_query =
server_login_retry = {retry:g}
"""
START_SECONDS: Final = 10.0
PARAMETER: Final = "?pooler=transaction"


def available() -> str | None:
    """Where the program is; Debian keeps it where only root looks."""
    return shutil.which(PROGRAM) or shutil.which(PROGRAM, path="/usr/sbin:/usr/local/sbin")


class Pooler:
    """One PgBouncer, from `start` to `close`; it dies with the process that started it."""

    def __init__(self, server: str) -> None:
        """`server` is the URL of the database for nodes."""
        program = available()
        assert program is not None
        self._program = program
        self._server = urlsplit(server)
        self._folder = Path(tempfile.mkdtemp(prefix="ferryman-pooler-"))
        self._process: subprocess.Popen[Any] | None = None
        self.port = free_port(random.Random())

    @property
    def url(self) -> str:
        """Where the database is for those who are to go through here."""
        return self._server._replace(netloc=f"{ROLE}@{HOST}:{self.port}").geturl()

    def start(self) -> None:
        """Start it, or start it again; returns when it answers."""
        file = self._configured()
        # a signal at its parent's death: nothing is left behind
        command = ["setpriv", "--pdeathsig", "KILL", self._program, "-q", str(file)]
        account = server_account()
        switch: dict[str, Any] = {} if account is None else account.switch
        with (self._folder / "log").open("ab") as log:
            process: subprocess.Popen[Any] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **switch
            )
        self._process = process
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text("utf-8"))

    def kill(self) -> None:
        """SIGKILL: all connections end, on both sides."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Kill it, and leave nothing behind."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _configured(self) -> Path:
        users, file = self._folder / "users", self._folder / "settings"
        users.write_text(f'"{ROLE}" ""\n', "utf-8")
        parts = {"database": DATABASE, "host": HOST, "server": self._server.port, "port": self.port}
        file.write_text(SETTINGS.format(**parts, users=users, sessions=SESSIONS, retry=LOGIN_RETRY), "utf-8")
        account = server_account()
        if account is not None:
            account.give(self._folder)
        return file

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=1.0):
            return True
        return False
