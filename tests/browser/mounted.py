"""The dashboard below a prefix of somebody else's site: the example with_fastapi.py, served by uvicorn."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.browser.building import ROOT

PREFIX: Final = "/queue"
PATIENCE: Final = 60.0
_STOP: Final = 10
"""Seconds after which uvicorn cuts off who is still connected."""


@contextmanager
def mounted(folder: Path, database: str) -> Iterator[str]:
    """Its address, without the prefix, as long as the block lasts. The store is migrated already."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")}
    with socket.create_server(("127.0.0.1", 0)) as listening, (folder / "site.log").open("ab") as log:
        # who connects before it is there waits in the socket
        command = [sys.executable, "-m", "uvicorn", "--app-dir", str(ROOT / "examples"), "with_fastapi:site"]
        command += ["--fd", str(listening.fileno()), "--timeout-graceful-shutdown", str(_STOP)]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=clean | {"FERRYMAN_DATABASE_URL": database},
            pass_fds=[listening.fileno()],
            stdout=log,
            stderr=log,
        )
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            process.terminate()
            process.wait(PATIENCE)
