"""When a request is said again, and when it is given up; pure.

What went wrong                          May it have been carried out?   Said again
no connection                            no                              always
429, 503 of one that takes no more       no                              always, not before Retry-After
502, 503, 504                            yes                             if it is repeatable
the connection broke, no answer in time  yes                             if it is repeatable
any other answer                         -                               never
"""

from __future__ import annotations

from typing import Final

import msgspec

from ferryman.domain.errors import FerrymanError, QueueFull, ShuttingDown, TooManyConnections
from ferryman.domain.retry import Exponential
from ferryman.http.remote.asking import Ask, Reply
from ferryman.http.remote.problems import error_of

BACKOFF: Final = Exponential(base=0.1, maximum=5.0)
"""With full jitter: clients that lost one server do not all come back at once."""
TOO_MANY: Final = 429
AWAY: Final = frozenset({502, 503, 504})


class Trouble(msgspec.Struct, frozen=True):
    """Why a try came to nothing."""

    error: FerrymanError
    unsure: bool
    """Whether it may have been carried out."""
    no_room: bool = False
    retry_after: float = 0.0
    """Seconds that the server asks for."""


class Patience(msgspec.Struct, frozen=True):
    """How long and how often a request is said."""

    retries: int = 8
    """So many tries after the first; those that found no room do not count."""
    timeout: float = 30.0
    """Seconds that all tries may take together, with the pauses between them."""
    attempt: float = 10.0
    """Seconds that one try may take."""

    def within(self, ask: Ask) -> float:
        """Seconds that a request may take in all."""
        return max(self.timeout if ask.within is None else ask.within, ask.room or 0.0)

    def at_once(self, ask: Ask, spent: float) -> float:
        """Seconds that the next try may take; one that may not be repeated has all that are left.

        Args:
            ask: the request.
            spent: seconds since the first try began.
        """
        left = max(self.within(ask) - spent, 0.001)
        return min(self.attempt, left) if ask.repeatable else left

    def pause(self, ask: Ask, trouble: Trouble, tries: int, spent: float, share: float) -> float | None:
        """Seconds until the next try; None gives up.

        Args:
            ask: the request.
            trouble: why the latest try came to nothing.
            tries: how many there were for which something else was to blame than a lack of room.
            spent: seconds since the first one began.
            share: random in [0, 1).
        """
        if trouble.no_room:
            left = (self.within(ask) if ask.room is None else ask.room) - spent
            # the server only guesses when there will be room: the last look comes at the end
            return min(trouble.retry_after + BACKOFF.delay(1, share), left) if left > 0 else None
        if tries > self.retries or (trouble.unsure and not ask.repeatable):
            return None
        wanted = trouble.retry_after + BACKOFF.delay(tries, share)
        return wanted if spent + wanted < self.within(ask) else None


def trouble_of(reply: Reply) -> Trouble | None:
    """What is wrong with an answer that another try may get a better one for."""
    if reply.status != TOO_MANY and reply.status not in AWAY:
        return None
    error = error_of(reply)
    refused = reply.status == TOO_MANY or isinstance(error, ShuttingDown | TooManyConnections)
    return Trouble(error, not refused, isinstance(error, QueueFull), retry_after(reply))


def retry_after(reply: Reply) -> float:
    """The seconds that an answer asks for; as a date, which nobody but a proxy sends, it is not heard."""
    said = reply.headers.get("retry-after", "").strip()
    return float(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0.0
