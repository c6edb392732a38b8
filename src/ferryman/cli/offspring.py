"""Runs a command that shall not outlive its parent: `python -m ferryman.cli.offspring PARENT ARGUMENT...`.

PARENT is the parent's process id. Where the system sends no signal at its end (see `die_with`), only an orderly end
of the parent ends this process.
"""

from __future__ import annotations

import signal
import sys

from ferryman.cli import main
from ferryman.engine.kinship import die_with

if __name__ == "__main__":
    die_with(int(sys.argv[1]), signal.SIGTERM)
    main(sys.argv[2:])
