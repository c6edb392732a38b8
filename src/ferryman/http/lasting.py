"""Requests that last: streams of events, waits for the end of a job, imports. Each keeps a connection meanwhile.

    |-------------------------- MAX_CONNECTIONS --------------------------|
    |-- half: the most of one API key --|
    |-- three quarters: the most of all of them ---------|-- never taken --|

So neither one key nor all of them together keep out what is answered at once: probes, metrics, enqueues.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from ferryman.domain.errors import TooManyLastingRequests
from ferryman.http.exchange import Request


class Lasting:
    """Counts them for one process. Keys that follow one another have one name, and one count."""

    def __init__(self, connections: int) -> None:
        """`connections` is how many may be open."""
        self.of_one = max(1, connections // 2)
        """How many an API key may have at a time."""
        self.of_all = max(1, connections * 3 // 4)
        """How many there may be, also where nobody needs a key."""
        self._under_way: Counter[str] = Counter()

    def begin(self, request: Request) -> None:
        """Count a request until it is answered. Raises TooManyLastingRequests: there is no room for it."""
        if not self.begins(request):
            name, of_one = request.caller.name, self._is_full_for(request.caller.name)
            raise TooManyLastingRequests(
                f"The API key {name} has {self.of_one} requests open that last."
                if of_one
                else f"{self.of_all} requests are open that last.",
                why="Streams of events, waits and imports keep a connection each, and others need some, too.",
                hint="End some, or come again after Retry-After. An operator may raise MAX_CONNECTIONS.",
            )

    def begins(self, request: Request) -> bool:
        """Count a request until it is answered; False where there is no room for it, and it must not last."""
        name = request.caller.name
        if self._is_full_for(name) or self._under_way.total() >= self.of_all:
            return False
        self._under_way[name] += 1
        request.at_end = partial(self._end, name)
        return True

    def _is_full_for(self, name: str) -> bool:
        return name != "" and self._under_way[name] >= self.of_one

    def _end(self, name: str) -> None:
        self._under_way[name] -= 1
        if not self._under_way[name]:
            del self._under_way[name]
