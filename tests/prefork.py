"""A pre-forking WSGI server, as gunicorn with `preload` is one: import the application, then fork the workers.

    python -m tests.prefork DATABASE WORKERS

The application enqueues one job at its import, one for each request, and one in the parent between two forks.
The first line on stdout is the port; SIGTERM ends the workers, then the parent.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from ferryman import Ferryman

Start = Callable[[str, list[tuple[str, str]]], Any]


def make_application(app: Ferryman) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    @app.job
    def send(to: str) -> str:
        return to

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        handle = send.enqueue(environ["PATH_INFO"])
        start("201 Created", [("Content-Type", "text/plain")])
        return [handle.id.encode()]

    send.enqueue("import")
    return application


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads the access log."""


class InheritedServer(WSGIServer):
    """Accepts on a socket that the parent has bound."""

    def __init__(self, listener: socket.socket, application: Any) -> None:
        host, port = listener.getsockname()
        super().__init__((host, port), QuietHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = host, port
        self.setup_environ()
        self.set_app(application)


def begin_worker(listener: socket.socket, application: Any) -> int:
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        InheritedServer(listener, application).serve_forever()
    return child


def main() -> None:
    warnings.simplefilter("ignore", DeprecationWarning)
    database, count = sys.argv[1], int(sys.argv[2])
    app = Ferryman(f"sqlite:///{database}")
    application = make_application(app)
    listener = socket.create_server(("127.0.0.1", 0))
    workers = [begin_worker(listener, application)]
    list(application({"PATH_INFO": "between"}, lambda *_: None))
    workers += [begin_worker(listener, application) for _ in range(count - 1)]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    signal.sigwait({signal.SIGTERM})
    for worker in workers:
        os.kill(worker, signal.SIGTERM)
    codes = [os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) for worker in workers]
    app.close()
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
