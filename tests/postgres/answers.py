"""What a PostgreSQL server says, divided where a commit is announced."""

from __future__ import annotations

from typing import Final

COMPLETE: Final = ord("C")
READY: Final = ord("Z")
IDLE: Final = ord("I")
"""What `READY` says of a session that is in no transaction."""
UNENCRYPTED: Final = b"N"
ENCRYPTED: Final = (b"S", b"G")
HEAD: Final = 5
"""Each message is a letter and its length, which counts itself but not the letter."""


class Answers:
    """Reads what one connection is answered, from its first byte on."""

    def __init__(self) -> None:
        self._rest = b""
        self._unsaid = b""
        self._begun = False
        self._encrypted = False

    def feed(self, data: bytes) -> list[tuple[bytes, bool]]:
        """What can be passed on now, in order; True marks what tells of the end of statements that have committed.

        What completes a statement is kept back until it is known whether a transaction goes on behind it. Of an
        encrypted connection everything is marked.
        """
        if self._encrypted:
            return [(data, True)]
        self._rest += data
        plain, parts = b"", list[tuple[bytes, bool]]()
        for message in self._messages():
            if self._unsaid or message[0] == COMPLETE:
                self._unsaid += message
                if message[0] == READY:
                    parts += [(plain, False), (self._unsaid, message[HEAD] == IDLE)]
                    plain = self._unsaid = b""
            else:
                plain += message
        return [part for part in [*parts, (plain, False)] if part[0]]

    def _messages(self) -> list[bytes]:
        """Those that have come whole."""
        found: list[bytes] = []
        at = 0
        if not self._begun:
            # the answers to "may I encrypt" are single letters
            while self._rest[at : at + 1] == UNENCRYPTED:
                found.append(UNENCRYPTED)
                at += 1
            self._begun = at < len(self._rest)
            self._encrypted = self._rest[at : at + 1] in ENCRYPTED
            if self._encrypted:
                found.append(self._rest[at:])
                at = len(self._rest)
        while at + HEAD <= len(self._rest):
            end = at + 1 + int.from_bytes(self._rest[at + 1 : at + HEAD], "big")
            if end > len(self._rest):
                break
            found.append(self._rest[at:end])
            at = end
        self._rest = self._rest[at:]
        return found
