"""A Ferryman server as a child process, and a small HTTP client for it: for black-box checks."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

READY = "ferryman listening on "


class Server:
    """`ferryman serve TARGET` on a free port; each thread that talks to it keeps one connection."""

    def __init__(self, target: Path, database: Path, settings: Mapping[str, object] | None = None) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")}
        environment |= {"FERRYMAN_PORT": "0", "FERRYMAN_DATABASE_URL": f"sqlite:///{database}"}
        environment |= {f"FERRYMAN_{name}": str(value) for name, value in (settings or {}).items()}
        self.log = database.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ferryman", "serve", str(target)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._local = threading.local()
        self.url = self._read_ready_line()

    def _read_ready_line(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
        raise RuntimeError(f"The server did not start:\n{self.log.read_text()}")

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Mapping[str, str], Any]:
        """One request. Returns status, headers and the decoded JSON (None where there is no body)."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            place = urlsplit(self.url)
            connection = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port)
            self._local.connection = connection
        content = None if body is None else json.dumps(body)
        headers = {"Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, dict(answer.headers), json.loads(data) if data else None

    def jobs(self, query: str = "") -> Iterator[dict[str, Any]]:
        """Every job that a query lists, page by page."""
        path: str | None = f"/jobs?limit=1000{query}"
        while path:
            status, headers, page = self.call("GET", path)
            if status != 200:
                raise RuntimeError(f"GET {path} answered {status}: {page}")
            yield from page
            link = headers.get("Link") or headers.get("link")
            path = link.split(">")[0].removeprefix("<") if link else None

    def stop(self) -> int:
        """SIGTERM, then the exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """After its end: let go of its output and of this thread's connection to it."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
