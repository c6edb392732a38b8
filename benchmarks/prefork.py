"""Whether every request of a forked web server is one run: gunicorn with 4 workers, two `ferryman work` beside it.

    python benchmarks/prefork.py --requests 10000 [--server uwsgi]

The server loads the site before it forks, and the parent has enqueued by then. Prints how many requests were
accepted, how many runs they had, and how many jobs ran more than once or never. Exit code 1 unless there were
exactly as many runs as requests; 3 where there is no such server.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))

from ferryman import Ferryman
from ferryman.domain.errors import FerrymanError

ROOT = Path(__file__).parents[1]
SITE = ROOT / "benchmarks" / "prefork_site.py"
CONNECTIONS = 8
NODES = 2
WORKERS = 4
UWSGI = """
uwsgi --master --need-app --die-on-term --disable-logging --py-call-uwsgi-fork-hooks
      --module benchmarks.prefork_uwsgi:application
"""
NEEDED = "There is no uwsgi on the PATH: pip install uwsgi (it is compiled then, so it takes gcc and Python's headers)."
PATIENCE = 120.0
"""Seconds after which a request, or what is left of the jobs, counts as lost."""


@contextmanager
def program(folder: Path, *command: str, fd: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """A child that is told to stop at the end, and has to end well."""
    # uWSGI may come from another environment, and takes its packages from there: it is told ours
    paths = [str(ROOT), str(ROOT / "src"), sysconfig.get_paths()["purelib"]]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PREFORK_FOLDER": str(folder), "PYTHONPATH": os.pathsep.join(paths)},
        pass_fds=() if fd is None else (fd,),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()
            code = process.wait()
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}.")


def post(port: int, number: int) -> str:
    """One request; gives the id of its job, or nothing where it was refused or never answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("POST", f"/{number}")
        answer = connection.getresponse()
        text = answer.read().decode()
        return text if answer.status == 201 else ""
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def site(server: str, fd: int) -> list[str]:
    """The command of a web server that forks and accepts on an open socket."""
    if server == "uwsgi":
        return [*UWSGI.split(), "--processes", str(WORKERS), "--http-socket", f"fd://{fd}"]
    settings = ("--config", "benchmarks/prefork_conf.py", "--bind", f"fd://{fd}", "--log-level", "warning")
    return [sys.executable, "-m", "gunicorn", *settings]


def run(server: str, requests: int, folder: Path) -> dict[str, int]:
    """Send the requests, wait until their jobs have ended, and count the runs."""
    with ExitStack() as stack:
        for _ in range(NODES):
            node = stack.enter_context(program(folder, sys.executable, "-m", "ferryman", "work", str(SITE)))
            assert node.stdout is not None
            node.stdout.readline()  # says that it works
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            # the socket listens already: no request has to wait for the server to be ready
            port, fd = listener.getsockname()[1], listener.fileno()
            stack.enter_context(program(folder, *site(server, fd), fd=fd))
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            accepted = [id for id in pool.map(lambda number: post(port, number), range(1, requests + 1)) if id]
        wait_for(accepted, folder)
    return figures(len(set(accepted)), requests, (folder / "runs").read_text())


def wait_for(ids: list[str], folder: Path) -> None:
    """Return once every job has ended, or after PATIENCE; what is missing then shows in the figures."""
    until = time.monotonic() + PATIENCE
    with Ferryman(f"sqlite:///{folder}/ferryman.db") as app:

        @app.job
        def count() -> None: ...

        with suppress(FerrymanError):
            for id in ids:
                count.handle(id).result(max(0.0, until - time.monotonic()))


def figures(accepted: int, requests: int, written: str) -> dict[str, int]:
    """What came of it. The job of the parent, number 0, is no request, but has to run once as well."""
    runs = Counter(map(int, written.split()))
    return {
        "accepted": accepted,
        "runs": sum(times for number, times in runs.items() if number > 0),
        "doubled": sum(times > 1 for times in runs.values()),
        "lost": sum(number not in runs for number in range(requests + 1)),
    }


def main() -> int:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description="Enqueue in the requests of a forked web server.")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="where to keep the database and what ran; else a temporary one")
    parser.add_argument("--server", choices=["gunicorn", "uwsgi"], default="gunicorn")
    options = parser.parse_args()
    if options.server == "uwsgi" and shutil.which("uwsgi") is None:
        print(NEEDED, file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory(prefix="ferryman-prefork-") as temporary:
        began = time.perf_counter()
        found = run(options.server, options.requests, (options.folder or Path(temporary)).resolve())
        seconds = time.perf_counter() - began
    for name, figure in found.items():
        print(f"{name:<9}{figure}")
    print(f"in {seconds:.1f} s, start and stop included")
    return 0 if found == {"accepted": options.requests, "runs": options.requests, "doubled": 0, "lost": 0} else 1


if __name__ == "__main__":
    sys.exit(main())
