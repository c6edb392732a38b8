"""A server of its own process, for those who speak to one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(__file__).with_name("program.py")
PATIENCE = 60


def environment(**more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")}
    return ours | more


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Where the program is served, with its database in a folder."""
    command = [sys.executable, "-m", "ferryman", "serve", str(PROGRAM), "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.fullmatch(r"ferryman listening on (http://\S+)\n", server.stdout.readline())
            assert found is not None
            yield found[1]
        finally:
            server.terminate()
            assert server.wait(PATIENCE) == 0
