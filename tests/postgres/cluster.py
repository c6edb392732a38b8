"""One PostgreSQL server of our own: made, started, stopped, killed, removed; it never outlives who started it.

us ──orders──▶ guard ──signals──▶ postgres
   ◀──READY───       ◀────log────
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.postgres import admin, guard
from tests.postgres.account import NOBODY, server_account
from tests.postgres.binaries import Binaries
from tests.postgres.ports import HOST, free_port

USER: Final = "ferryman"
TRIES: Final = 10
"""How many ports a new server tries."""
IN_USE: Final = "Address already in use"
TOLD: Final = 20
"""How many lines of the log an error shows."""

COMMON: Final = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
}
LAX: Final = COMMON | {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "min_wal_size": "32MB",
    "max_wal_size": "128MB",
}
"""For tests: what a crash of the machine would lose does not matter. synchronous_commit stays on: code looks at it."""
DURABLE: Final = COMMON | {"shared_buffers": "512MB", "max_wal_size": "4GB"}
"""For figures, and for kills: as a server comes, with room to work."""


class ServerFailed(Exception):
    """A cluster could not be made, or its server does not start. Shows the end of what was said."""


class Cluster:
    """A folder with data, and at most one server on it. Its verbs are for one thread at a time."""

    def __init__(
        self,
        folder: Path,
        binaries: Binaries,
        *,
        durable: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`folder` is new, or empty; `close` removes it. `settings` are added to ours."""
        self.folder = folder
        self.port = 0
        self._binaries = binaries
        self._settings = (DURABLE if durable else LAX) | dict(settings or {})
        self._account = server_account()
        self._data = folder / "data"
        self._log = folder / guard.LOG
        self._dice = random.Random()
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def is_up(self) -> bool:
        """Whether the server runs."""
        return self._guard is not None and self._guard.poll() is None

    @property
    def log(self) -> str:
        """All that the server has said so far."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def url(self, database: str = "postgres") -> str:
        """Where a database is; the same through all restarts."""
        return f"postgresql://{USER}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, and make the cluster before if there is none. Raises ServerFailed."""
        if self.is_up:
            return
        self._let_go()
        if self.port:
            self._launch(self.port)
            return
        self._take_folder()
        try:
            self._make()
            self.port = self._launch_somewhere()
        except BaseException:
            self.close()
            raise

    def stop(self) -> None:
        """Stop the server in order, but do not wait for its clients. Raises ServerFailed: its guard had failed."""
        self._order(guard.FAST)

    def kill(self) -> None:
        """End all processes of the server with SIGKILL. Raises ServerFailed: its guard had failed."""
        self._order(guard.KILL)

    def restart(self) -> None:
        """Stop, and start again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop the server and remove the folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def create(self, name: str, template: str | None = None) -> None:
        """Make a database."""
        with admin.connected(self.url()) as connection:
            admin.create(connection, name, template)

    def drop(self, name: str) -> None:
        """Remove a database if it is there, and throw out who is connected to it."""
        with admin.connected(self.url()) as connection:
            admin.drop(connection, name)

    def _order(self, order: bytes) -> None:
        """Have the guard do it, and wait for the last process of the server to end."""
        if self._guard is not None:
            assert self._guard.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # it has ended by itself
                self._guard.stdin.write(order)
            code = self._let_go()
            if code == guard.FAILED or code < 0:
                raise ServerFailed(f"{_fate(code)} It was to look after {self.folder}:\n{_end(self.log)}")

    def _let_go(self) -> int:
        """Of a server that has ended, or is about to. Gives the exit code of its guard."""
        if self._guard is None:
            return 0
        code = self._guard.wait()
        for pipe in (self._guard.stdin, self._guard.stdout):
            assert pipe is not None
            pipe.close()
        self._guard = None
        return code

    def _take_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if any(self.folder.iterdir()):
            raise ServerFailed(f"{self.folder} is not empty. A new cluster needs a folder of its own.")

    def _make(self) -> None:
        self._data.mkdir()
        if self._account is not None:
            self.folder.chmod(0o711)
            self._account.give(self._data)
        self._reach_programs()
        line = ["-D", self._data, "-N", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "--no-instructions"]
        made = self._run([self._binaries.initdb, *line])
        if made.returncode:
            needs = (
                "" if self._account is None else f" The user {NOBODY}, who is to run it, has to be able to come there."
            )
            raise ServerFailed(f"initdb made no cluster in {self.folder}.{needs}\n{_end(made.stdout)}")
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {_quoted(value)}\n" for name, value in self._settings.items())

    def _reach_programs(self) -> None:
        """The account is given a copy of the programs if it may not come to where they are, below /root for one."""
        try:
            self._run([self._binaries.initdb, "--version"])
        except PermissionError as error:
            if self._binaries.package is None or self._account is None:
                raise ServerFailed(f"The user who is to run it may not come to {self._binaries.folder}.") from error
            copy = self.folder / "programs"
            self._binaries = self._binaries.copy_to(copy)
            self._account.give(copy)

    def _run(self, command: list[Any]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self._data,
            env=_environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **({} if self._account is None else self._account.switch),
        )

    def _launch_somewhere(self) -> int:
        """On a free port; another one if somebody was quicker. From then on it stays the same."""
        for left in reversed(range(TRIES)):
            try:
                return self._launch(free_port(self._dice))
            except ServerFailed as error:
                if IN_USE not in str(error) or not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def _launch(self, port: int) -> int:
        said = len(self.log)
        uid, gid = (self._account.uid, self._account.gid) if self._account is not None else ("", "")
        command = [self._binaries.postgres, "-D", self._data, "-p", port]
        ours = map(str, (os.getpid(), self.folder, uid, gid, *command))
        with self._log.open("ab") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, *ours],  # nothing but the standard library, and quicker
                env=_environ(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for us
            )
        assert self._guard.stdout is not None
        if self._guard.stdout.read(1) != guard.READY:
            fate = _fate(self._let_go())
            raise ServerFailed(
                f"PostgreSQL did not start in {self.folder} on port {port}. {fate}\n{_end(self.log[said:])}"
            )
        return port


def _fate(code: int) -> str:
    """What the exit code of a guard means."""
    if code == guard.FAILED:
        return "Its guard could not go on."
    if code < 0:
        return f"Its guard was killed by {signal.Signals(-code).name}; the server may go on without it."
    return f"Its exit code was {code}."


def _environ() -> dict[str, str]:
    """Nothing that PostgreSQL would take for its settings, and its words in English: the guard reads them."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return ours | {"LC_ALL": "C"}


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _end(text: str) -> str:
    return "\n".join(text.splitlines()[-TOLD:])
