"""What can be seen of a file from outside, without opening a store: nothing here writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from ferryman.store.lockfiles import is_held
from ferryman.store.sqlite.checkpoint import LOCK
from ferryman.store.sqlite.database import connect
from ferryman.store.sqlite.failures import explain
from ferryman.store.sqlite.liveness import nodes_folder
from ferryman.store.sqlite.session import read_document
from ferryman.store.sqlite.statements import Statements

_counts: Final = msgspec.json.Decoder(dict[str, int])
_NO_NODES: Final = frozenset({"open.lock", LOCK})


def pending_types(path: Path) -> Mapping[str, int]:
    """How many jobs of each type are pending.

    Raises:
        StoreError: the file cannot be read, or lacks the tables of this version.
    """
    with closing(connect(path, read_only=True)) as connection:
        try:
            return read_document(connection, Statements()["pending_types"], _counts, {})
        except sqlite3.Error as error:
            raise explain(error, path) from error


def processes_on(path: Path) -> int:
    """At least how many processes have the file open, by the locks that they hold: a node's, or that of checkpoints."""
    folder = nodes_folder(path)
    nodes = [each for each in sorted(folder.glob("*.lock")) if each.name not in _NO_NODES and is_held(each)]
    return len(nodes) or int(is_held(folder / LOCK) is True)
