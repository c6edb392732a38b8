"""Compress and checksum files: one job per file, the result says what came out.

    ferryman serve examples/archive.py
    curl -X POST localhost:8080/jobs -H 'Content-Type: application/json' \
         -d '{"type": "archive", "payload": {"source": "README.md", "target": "README.md.gz"}}'
"""

from __future__ import annotations

import gzip
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from ferryman import Ferryman

app = Ferryman()


@dataclass
class Archived:
    """What became of one file; sizes in bytes, the checksum is SHA-256 of the original."""

    source: str
    target: str
    checksum: str
    size: int
    compressed: int


@app.job
def archive(source: str, target: str, journal: str | None = None) -> Archived:
    """Compress `source` into `target`, which appears whole or not at all.

    Args:
        source: the file to read.
        target: where the gzip file goes; its folder is made.
        journal: a file that gets one line per run, so that a reader can count the runs.
    """
    data = Path(source).read_bytes()
    packed = gzip.compress(data, compresslevel=6, mtime=0)
    destination = Path(target)
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_name(f"{destination.name}.{os.getpid()}.part")
    partial.write_bytes(packed)
    partial.replace(destination)
    if journal is not None:
        _note(journal, source)
    return Archived(source, target, hashlib.sha256(data).hexdigest(), len(data), len(packed))


def _note(journal: str, source: str) -> None:
    """One write in append mode: lines of several workers never mix."""
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, f"{source}\n".encode())
    finally:
        os.close(descriptor)
