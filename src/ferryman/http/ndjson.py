"""Lines out of a body that comes piece by piece; no more of it is held than a piece and the longest line."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from ferryman.domain.errors import BodyTooLarge

_BLANK: Final = b" \t\r"


class Lines:
    """The lines of one body. A line ends with LF or CRLF; the last one need not."""

    def __init__(self, read: Callable[[], Awaitable[bytes | None]], limit: int) -> None:
        """`read` gives the next piece, None at the end; `limit` is how many bytes a line may have."""
        self._read = read
        self._limit = limit
        self._whole: deque[bytes] = deque()
        """The lines of the last piece that were not given yet."""
        self._rest = bytearray()
        """The beginning of a line whose end has not come yet."""
        self._ended = False
        self.number = 0
        """That of the line which was given last, or was too long; the first one has 1, and empty ones count."""

    async def next(self) -> bytes | None:
        """The next line that is not empty, None at the end. Another piece is read only when it is needed.

        Raises:
            BodyTooLarge: the line is too long.
        """
        while True:
            while self._whole:
                line = self._given(self._whole.popleft())
                if line:
                    return line
            if len(self._rest) > self._limit + 1:  # a CR may be the last byte of it
                self._given(self._rest)
            if self._ended:
                return None
            self._split(await self._read())

    def _split(self, piece: bytes | None) -> None:
        if piece is None:
            self._ended = True
            self._whole.append(bytes(self._rest))
            self._rest.clear()
            return
        first, *others = piece.split(b"\n")
        self._rest += first
        if others:
            self._whole.append(bytes(self._rest))
            self._whole.extend(others[:-1])
            self._rest = bytearray(others[-1])

    def _given(self, line: bytes | bytearray) -> bytes:
        self.number += 1
        text = bytes(line.strip(_BLANK))
        if len(text) > self._limit:
            raise BodyTooLarge(
                f"Line {self.number} has more than {self._limit} bytes.",
                why="That is what MAX_BODY allows for a job.",
                hint="Store large data elsewhere and enqueue where it is.",
            )
        return text
