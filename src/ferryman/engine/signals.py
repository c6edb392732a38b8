"""What a handler raises to say how its run ends, where returning and failing do not say it."""

from __future__ import annotations

from datetime import timedelta

from ferryman.domain.options import seconds_of


class Signal(Exception):
    """Not an error: a handler's own word on what becomes of its job."""


class Retry(Signal):
    """This attempt failed, try again: after `delay` (seconds or a timedelta), or after the type's own backoff.

    Ends the job failed where no attempt is left.

    Raises:
        BadOption: the delay is negative, not finite or over ten years.
    """

    def __init__(self, delay: float | timedelta | None = None) -> None:
        self.delay = None if delay is None else seconds_of("delay", delay)
        super().__init__("Try again." if self.delay is None else f"Try again in {self.delay:g} s.")


class Snooze(Signal):
    """Not now: run the job again after `delay` (seconds or a timedelta); no attempt is spent.

    Raises:
        BadOption: the delay is negative, not finite or over ten years.
    """

    def __init__(self, delay: float | timedelta) -> None:
        self.delay = seconds_of("delay", delay)
        super().__init__(f"Run again in {self.delay:g} s.")


class Cancel(Signal):
    """The job is not wanted any more: it ends cancelled, and `reason` is kept with it."""

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        super().__init__(reason or "The handler cancelled its job.")
