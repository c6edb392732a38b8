"""Where a measure takes place: a fresh, empty database on a server, a SQLite file or memory; and its process."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from benchmarks.postgres.server import durable_server, fresh_database
from ferryman.store.factory import MEMORY

ROOT: Final = Path(__file__).parents[2]
SQLITE: Final = "sqlite"
"""Given as the server: files take its place, and only Ferryman runs. It shows that the measures work."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which server it is."""
    parser.add_argument("--server", help="the URL of a server that is there, or sqlite to try Ferryman alone on files")
    parser.add_argument("--binaries", type=Path, help="the folder of initdb and pg_ctl, for a server of its own")


def server_of(options: argparse.Namespace) -> AbstractContextManager[str]:
    """The URL of the server that the options name, or of one that lasts as long as the block."""
    return nullcontext(options.server) if options.server else durable_server(options.binaries)


def server_for(store: str) -> AbstractContextManager[str]:
    """What `place` takes for a store by its name: of PostgreSQL a server that lasts as long as the block."""
    return durable_server() if store == "postgres" else nullcontext(store)


@contextmanager
def place(server: str) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    if server == "memory":
        yield MEMORY
    elif server == SQLITE:
        with tempfile.TemporaryDirectory(prefix="ferryman-bench-") as folder:
            yield f"sqlite:///{folder}/bench.db"
    else:
        with fresh_database(server, f"ferryman_bench_{os.getpid()}") as url:
            yield url


def measured(server: str, module: str, *arguments: object, timeout: float = 600.0) -> Any:
    """Run a module of this package in a process of its own, with a fresh database as its first argument.

    What it prints last is JSON.
    """
    with place(server) as url:
        command: Sequence[str] = [sys.executable, "-m", f"benchmarks.postgres.{module}", url, *map(str, arguments)]
        result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=timeout)
    return json.loads(result.stdout.splitlines()[-1])
