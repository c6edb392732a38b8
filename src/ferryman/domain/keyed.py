"""What a declaration says of the keys of its jobs, and the key of one job by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from ferryman.domain import options
from ferryman.domain.errors import BadOption
from ferryman.domain.keys import GateRule, OnFailure

LARGEST_SHARE: Final = 1000
"""The largest weight of a key."""

By = str | Callable[..., object]
"""The name of an argument of the handler, or a function of its arguments."""


class PerKey(msgspec.Struct, frozen=True):
    """Bounds that hold for all jobs with one key together: `per_key=PerKey("customer", concurrency=1)`."""

    by: By
    """The argument whose value is the key, or a function that is called with the handler's arguments by name and gives
    it; None is no key."""
    concurrency: int | None = None
    """How many of them may be on their way at once."""
    rate: float | str | None = None
    """How many of them may start: a number is so many a second, a text such as "100/s", "5/m", "20/h" or "1000/d"."""
    burst: int | None = None
    """How many of these may start at once; by default as many as the rate gives in a second, at least 1."""
    share: int | None = None
    """The weight of each key, where keys are to take turns: of two that both have jobs waiting the one with share 2
    starts twice as many as the one with share 1. By default whoever was first goes first, of whatever key."""


class Sequence(msgspec.Struct, frozen=True):
    """Jobs with one key run one after the other, in the order of their enqueues: `sequence=Sequence("account")`."""

    by: By
    """As for `PerKey`."""
    on_failure: str = "hold"
    """What a job does to those behind it that has failed for good: "hold" has them wait until a person retries it or
    lets the sequence go on, "pass" lets the next one go."""


class KeySource(Protocol):
    """What knows the keys of a type's jobs."""

    @property
    def rule(self) -> GateRule:
        """What their gates are to keep to."""
        ...

    def key_of(self, payload: str) -> str | None:
        """The key of a job. Raises BadOption: it can be none."""
        ...


class KeyedByArgument(msgspec.Struct, frozen=True):
    """Jobs whose key is the value of an argument. Without one it has to be given at the enqueue."""

    rule: GateRule
    argument: str | None = None
    default: str | None = None
    """The key where the argument is not given."""

    def key_of(self, payload: str) -> str | None:
        """The value as text: a text as it is, null is no key, anything else as JSON."""
        if self.argument is None:
            return None
        members: Mapping[str, Any] = msgspec.json.decode(payload)
        return as_key(members[self.argument]) if self.argument in members else self.default


class KeyedByFunction(msgspec.Struct, frozen=True):
    """Jobs whose key a function of their arguments gives."""

    rule: GateRule
    function: Callable[..., object]
    arguments_of: Callable[[str], Mapping[str, Any]]

    def key_of(self, payload: str) -> str | None:
        """What the function gives, as text."""
        arguments = self.arguments_of(payload)
        try:
            value = self.function(**arguments)
        except Exception as error:  # foreign code may raise anything
            raise BadOption(
                "The function that gives the key of a job raised.", why=f"{type(error).__name__}: {error}"
            ) from error
        return as_key(value)


def as_key(value: object) -> str | None:
    """A value as a key. Raises BadOption."""
    if value is None:
        return None
    try:
        text = value if isinstance(value, str) else msgspec.json.encode(value, order="deterministic").decode()
    except (TypeError, ValueError):
        raise options.refused("key", value, "a text, or what has a JSON form") from None
    return options.key(text)


def gate_rule(
    *,
    concurrency: object = None,
    rate: object = None,
    burst: object = None,
    share: object = None,
    sequence: object = False,
    on_failure: object = None,
) -> GateRule:
    """Check what somebody wants gates to keep to. None is as if it were not said.

    Raises:
        BadOption: a value is not allowed, or two do not go together.
    """
    strict = options.flag("sequence", sequence)
    if strict and (rate is not None or share is not None or concurrency not in (None, 1)):
        raise BadOption(
            "A sequence takes neither a rate nor a concurrency nor a share.",
            why="Its jobs run one at a time, and a job that is tried again keeps its turn.",
            hint="Leave them out, or let it be no sequence.",
        )
    if on_failure is not None and not strict:
        raise BadOption(
            "on_failure is only for a sequence.",
            why="It says what a job that has failed does to those behind it.",
            hint="Let it be a sequence, or leave on_failure out.",
        )
    if burst is not None and rate is None:
        raise options.refused("burst", burst, "a burst with a rate only")
    per_second = None if rate is None else options.rate(rate)
    default_burst = 1 if per_second is None else max(1, math.ceil(per_second))
    return GateRule(
        concurrency=None if concurrency is None or strict else options.count("concurrency", concurrency),
        rate=per_second,
        burst=default_burst if burst is None else options.count("burst", burst),
        strict=strict,
        on_failure=OnFailure.HOLD if on_failure is None else options.one_of("on_failure", on_failure, OnFailure),
        share=None if share is None else options.count("share", share, LARGEST_SHARE),
    )
