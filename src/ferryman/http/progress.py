"""How far a request has come that does its work piece by piece: told with whatever problem ends it."""

from __future__ import annotations

from typing import Final

from ferryman.http.exchange import Request

PROGRESS: Final = "ferryman.progress"
"""Where such a request keeps its progress in its scope, for the boundary to tell."""


class Progress:
    """How far an import has come. Every line before `next` is stored, but for those that were `refused`."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.imported = 0
        """How many lines became jobs, or were jobs already."""
        self.line: int | None = None
        """The line of which the problem speaks, if it is about one."""
        self.refused: list[int] = []
        self.next = 1
        """The first line that was not handed in."""
        self.unsure = 0
        """How many lines from `next` on were at the store when it ended: they may be stored all the same."""
        request.scope[PROGRESS] = self

    def stop(self, refused: list[int], next: int) -> None:
        """It ends: these lines were refused, and nothing from the line `next` on was handed in."""
        self.line = refused[0]
        self.refused = refused
        self.next = next

    def members(self) -> dict[str, object]:
        """What a problem says of it."""
        return {
            "imported": self.imported,
            "line": self.line,
            "refused": self.refused,
            "next": self.next,
            "unsure": self.unsure,
        }
