"""When to try again after a failure.

Exponential backoff with full jitter: a delay drawn evenly from [0, base * factor**n], as in
"Exponential Backoff And Jitter" (M. Brooker, AWS Architecture Blog, 2015). The random number is an
argument: the caller injects its source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

HOUR: Final = 3600.0


class Exponential(msgspec.Struct, frozen=True):
    """`base * factor**(attempt - 1)` seconds, at most `maximum`, times a random share if `jitter`."""

    base: float = 1.0
    factor: float = 2.0
    maximum: float = HOUR
    jitter: bool = True

    def delay(self, attempt: int, share: float) -> float:
        """Seconds to wait after the failed `attempt` (from 1); `share` is random in [0, 1)."""
        try:
            ceiling = min(self.base * self.factor ** (attempt - 1), self.maximum)
        except OverflowError:
            ceiling = self.maximum
        return ceiling * share if self.jitter else ceiling


class Fixed(msgspec.Struct, frozen=True):
    """Always the same number of seconds."""

    seconds: float

    def delay(self, attempt: int, share: float) -> float:
        """Seconds to wait; neither argument matters."""
        return self.seconds


class Listed(msgspec.Struct, frozen=True):
    """One delay per attempt; the last one repeats."""

    seconds: tuple[float, ...]

    def delay(self, attempt: int, share: float) -> float:
        """Seconds to wait after the failed `attempt` (from 1)."""
        return self.seconds[min(attempt, len(self.seconds)) - 1]


Backoff = Exponential | Fixed | Listed


class RetryPolicy(msgspec.Struct, frozen=True):
    """A backoff, with other rules for some exceptions: a backoff of their own, or None for "do not retry"."""

    backoff: Backoff = Exponential()
    rules: tuple[tuple[type[BaseException], Backoff | None], ...] = ()

    def delay(self, error: BaseException, attempt: int, share: float) -> float | None:
        """Seconds until the next attempt, or None where this error is not to be retried.

        The first rule whose class fits the error decides.
        """
        for kind, backoff in self.rules:
            if isinstance(error, kind):
                return None if backoff is None else backoff.delay(attempt, share)
        return self.backoff.delay(attempt, share)


def policy(
    backoff: float | Sequence[float] | Backoff | None = None,
    *,
    rules: Mapping[type[BaseException], float | Sequence[float] | Backoff | None] | None = None,
    never: Sequence[type[BaseException]] = (),
) -> RetryPolicy:
    """Build a policy from what people write: a number, a list of numbers, or a backoff.

    Args:
        backoff: seconds, a list of seconds, or a backoff; None is exponential with full jitter.
        rules: another backoff for some exceptions; None there means "do not retry".
        never: exceptions that are not retried.

    Raises:
        ValueError: a delay is negative, not finite, or a list is empty.
    """
    found = [(kind, None) for kind in never]
    spelled = [(kind, None if how is None else _backoff(how)) for kind, how in (rules or {}).items()]
    return RetryPolicy(_backoff(backoff), (*found, *spelled))


def _backoff(how: float | Sequence[float] | Backoff | None) -> Backoff:
    if how is None:
        return Exponential()
    if isinstance(how, Exponential | Fixed | Listed):
        return how
    if isinstance(how, int | float):
        return Fixed(_seconds(how))
    if not how:
        raise ValueError("A list of delays needs at least one.")
    return Listed(tuple(_seconds(each) for each in how))


def _seconds(value: float) -> float:
    if not 0 <= value < float("inf"):
        raise ValueError(f"A delay is a finite number of seconds from 0 up, not {value!r}.")
    return float(value)
