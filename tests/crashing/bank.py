"""Somebody outside whom handlers pay: a file, in which each charge is one line that is there or is not."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from pathlib import Path


class Bank:
    """As in life: it knows the keys that it has seen, and the claim numbers if it is told them."""

    def __init__(self) -> None:
        self.path = Path()

    def open(self, database: Path) -> None:
        """A new one for each trial: the `setup` of most tests."""
        self.path = database.with_name("bank.jsonl")
        self.path.touch()

    def charge(self, amount: int, *, key: str = "", claim: int = 0) -> None:
        """Do it, unless that was done under this key; refuse a claim that is older than one it has seen."""
        with self.path.open() as book:
            fcntl.flock(book, fcntl.LOCK_EX)  # two processes may charge at once: one looks after the other has written
            seen = [line for line in self.lines() if key and line[1] == key]
            if not seen:
                self._write(amount, key, claim)
            elif claim < max(line[2] for line in seen):
                raise PermissionError(f"claim {claim} is not the newest")

    def mark(self) -> bool:
        """Say that it is done; whether nobody has said so before."""
        try:
            self.path.with_suffix(".done").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def ponder(self) -> None:
        """Take a moment, in which a node that has nothing else to do stops."""
        threading.Event().wait(0.2)

    def die(self) -> None:
        """Take the process of the node along."""
        os._exit(7)

    def lines(self) -> list[tuple[int, str, int]]:
        return [tuple(json.loads(line)) for line in self.path.read_text().splitlines()]

    def charges(self, _database: Path) -> list[int]:
        """An effect."""
        return [amount for amount, *_ in self.lines()]

    def count(self, _database: Path) -> int:
        """The same effect, as a number."""
        return len(self.lines())

    def _write(self, *line: object) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(descriptor, json.dumps(line).encode() + b"\n")
        os.close(descriptor)
