"""Servers for the browser: `ferryman serve` in a process of its own, on SQLite or PostgreSQL."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ferryman.testing.serving import Server
from tests.browser.hostile import TEXTS
from tests.browser.stock import LONG_QUEUE
from tests.browser.stock_jobs import LONG_TYPE

APP: Final = Path(__file__).with_name("stock_jobs.py")
PATIENCE: Final = 60.0


class Site:
    """A server, its store, and what was asked of both."""

    def __init__(
        self, folder: Path, database: str, settings: Mapping[str, object] | None = None, app: Path = APP
    ) -> None:
        """It is not started yet. `database` is the URL of a store, `app` the file of the jobs."""
        self.database = database
        self._app = app
        self._place = folder / "site.db"
        self._settings = {"DATABASE_URL": database, **(settings or {})}
        self._server: Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it is served."""
        return self.server.url

    @property
    def server(self) -> Server:
        """The process."""
        assert self._server is not None, "It was not started."
        return self._server

    def start(self) -> None:
        """Serve; a second time at the address of the first one."""
        self._server = Server(self._app, self._place, {**self._settings, "PORT": self._port})
        self._port = urlsplit(self.url).port or 0

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        code = self.server.stop()
        self.server.close()
        assert code == 0, self.server.log.read_text()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The JSON of an answer, which must be none that refuses. Of the names of headers `_` is `-`."""
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE)
        content = None if body is None else json.dumps(body)
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            said["Content-Type"] = "application/json"
        with contextlib.closing(connection):
            connection.request(method, path, content, said)
            answer = connection.getresponse()
            told = answer.read()
        assert answer.status < 400, f"{method} {path} answered {answer.status}: {told!r}"
        return json.loads(told) if told else None

    def ended(self, id: str) -> Any:
        """A job, once it has ended."""
        job = self.ask("GET", f"/jobs/{id}", Prefer=f"wait={PATIENCE:.0f}")
        assert job["status"] in {"completed", "failed", "cancelled"}, job
        return job

    def command(self, *arguments: str) -> str:
        """What a command says of this store."""
        return self.program("ferryman", *arguments)

    def program(self, module: str, *arguments: str, patience: float = PATIENCE) -> str:
        """What a program prints, for whom this store is the one of the settings."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=clean() | {"FERRYMAN_DATABASE_URL": self.database},
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def working(self) -> Iterator[subprocess.Popen[bytes]]:
        """Another node of this store, as long as the block at most: a process without HTTP."""
        said = {f"FERRYMAN_{name}": str(value) for name, value in self._settings.items()}
        with self._place.with_suffix(".work.log").open("ab") as log:
            command = [sys.executable, "-m", "ferryman", "work", str(APP)]
            process = subprocess.Popen(command, env=clean() | said, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)

    def add_api_key(self, name: str, *scopes: str, queues: tuple[str, ...] = ()) -> str:
        """The text of a new API key. From the first one on nobody passes without."""
        said = [each for scope in scopes for each in ("--scope", scope)]
        said += [each for queue in queues for each in ("--queue", queue)]
        key: str = json.loads(self.command("api-keys", "add", name, *said, "--json"))["key"]
        return key


def clean() -> dict[str, str]:
    """The environment without settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")}


@contextmanager
def serving(
    folder: Path, database: str, settings: Mapping[str, object] | None = None, app: Path = APP
) -> Iterator[Site]:
    """A site that is served as long as the block; its store is migrated first."""
    site = Site(folder, database, settings, app)
    site.command("migrate")
    site.start()
    try:
        yield site
    finally:
        site.server.kill()  # what it still runs is nothing that anybody waits for
        site.server.close()


class Stocked:
    """A site whose store has the stock."""

    def __init__(self, site: Site) -> None:
        """It is filled, before the site is started or while it is served."""
        self.site = site
        self.jobs: dict[str, str] = json.loads(site.program("tests.browser.filling", site.database))
        """The ids of what it has: see `stock.Stock`."""
        self.names = {
            "job": self.jobs["texts"],
            "failed": self.jobs["failed: script"],
            "operation": self.jobs["operation"],
            "type": LONG_TYPE,
            "queue": LONG_QUEUE,
            "schedule": "s" * 128,
            "key": TEXTS["script"],
        }
        """What `pages.PAGES` has in braces."""

    def look(self) -> None:
        """Find out by HTTP the names that are known once it is served."""
        [node] = (each for each in self.site.ask("GET", "/nodes") if each["ended_at"] is None)
        [group] = self.site.ask("GET", "/errors?limit=1")
        self.names |= {"node": node["id"], "group": group["group"]}
