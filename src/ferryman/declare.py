"""What declarations may say, and from a function and its declaration to a handler."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Listed
from typing import Any, Final, Literal, TypedDict, cast

import msgspec

from ferryman.domain import options
from ferryman.domain.errors import BadOption
from ferryman.domain.job import MAX_ATTEMPTS_DEFAULT, PRIORITY_DEFAULT
from ferryman.domain.keyed import KeyedByArgument, KeyedByFunction, KeySource, PerKey, Sequence, as_key, gate_rule
from ferryman.domain.keys import GateRule
from ferryman.domain.retry import Backoff, RetryPolicy, policy
from ferryman.engine.origin import Origin, origin_of
from ferryman.engine.registry import Handler
from ferryman.engine.signature import Signature, name_of

_RETRY_ALLOWED: Final = (
    "seconds, a list of seconds, a backoff such as Exponential(base=2), a RetryPolicy, or a dict of these by exception"
)

Delays = float | Listed[float] | Backoff
"""Seconds, a list of seconds with one per attempt, or a backoff."""
Rules = Mapping[type[BaseException], Delays | None]
"""Delays by exception; None there means "do not retry"."""


class JobOptions(TypedDict, total=False):
    """What a declaration may say of a job; all of it may be left out."""

    name: str
    """The job's type; else it is the function's name."""
    queue: str
    priority: int
    """0 (runs first) to 9; 5 by default."""
    max_attempts: int
    """1 to 1000; 5 by default."""
    timeout: float | Literal["default"] | None
    """Seconds a run may take; None is no bound, "default" is the setting DEFAULT_TIMEOUT."""
    retry: Delays | Rules | RetryPolicy | None
    """When to try again; by default after 1 s x 2^n with full jitter, at most an hour."""
    never: Listed[type[BaseException]]
    """Exceptions that are not retried."""
    after_crashes: tuple[int, str] | None
    """(3, "poison"): a job whose node has died under it three times in a row goes to that queue; by default none."""
    per_key: PerKey
    """Bounds for all jobs together that share a key, such as PerKey("customer", concurrency=1)."""
    sequence: Sequence
    """Jobs that share a key run one after the other, such as Sequence("account")."""
    process: bool
    """Whether the function, a `def`, runs in a worker process; such a run really ends at its timeout."""


class CronOptions(TypedDict, total=False):
    """What may be said of a schedule beside its expression; all of it may be left out."""

    name: str
    """Under which it is known; else it is the job's type."""
    tz: str
    """Whose wall clock, such as Europe/Berlin; UTC by default."""
    missed: Literal["skip", "once", "all"]
    """What becomes of ticks for which no node was there: nothing ("skip", the default), one job, or one for each."""
    max_missed: int
    """For missed="all": how many of them, the latest; 100 by default."""
    overlap: Literal["allow", "skip", "wait"]
    """What becomes of a tick while the job of the one before has not ended: a job all the same ("allow", the default),
    none, or one as soon as that has ended."""
    ambiguous: Literal["first", "both"]
    """When a fixed time fires that comes twice, as clocks are set back; "first" by default."""
    nonexistent: Literal["shift", "skip"]
    """What becomes of a fixed time that is left out, as clocks are set forward; "shift" by default."""
    payload: Mapping[str, object]
    """The handler's keyword arguments; none by default."""
    tags: Listed[str]
    """Words to find its jobs by."""


def make_handler(
    function: Callable[..., Any],
    wants_context: bool,
    *,
    name: str | None = None,
    queue: str = "default",
    priority: int = PRIORITY_DEFAULT,
    max_attempts: int = MAX_ATTEMPTS_DEFAULT,
    timeout: float | Literal["default"] | None = "default",
    retry: Delays | Rules | RetryPolicy | None = None,
    never: Listed[type[BaseException]] = (),
    after_crashes: tuple[int, str] | None = None,
    per_key: PerKey | None = None,
    sequence: Sequence | None = None,
    process: bool = False,
) -> Handler:
    """Check a declaration.

    Raises:
        BadHandler: the function cannot be a handler.
        BadOption: an option is not allowed.
    """
    signature = Signature(function, wants_context=wants_context)
    return Handler(
        type=options.type_name(name_of(function) if name is None else name),
        function=function,
        is_async=inspect.iscoroutinefunction(function),
        wants_context=wants_context,
        signature=signature,
        queue=options.queue(queue),
        priority=options.priority(priority),
        max_attempts=options.max_attempts(max_attempts),
        timeout=timeout if timeout is None or timeout == "default" else options.timeout(timeout),
        retry=_policy(retry, never),
        after_crashes=None if after_crashes is None else options.after_crashes(after_crashes),
        keyed=_keyed(signature, function, per_key, sequence),
        origin=_origin(function, process),
    )


def _keyed(signature: Signature, function: Callable[..., Any], per_key: object, sequence: object) -> KeySource | None:
    """How the jobs have keys, and what the gates of these keep to."""
    if per_key is not None and sequence is not None:
        raise BadOption(
            "A job takes per_key or sequence, not both.", why="It has one key, and a sequence has one slot."
        )
    if isinstance(per_key, PerKey):
        rule = gate_rule(concurrency=per_key.concurrency, rate=per_key.rate, burst=per_key.burst, share=per_key.share)
        return _key_source(signature, function, per_key.by, rule)
    if isinstance(sequence, Sequence):
        rule = gate_rule(sequence=True, on_failure=sequence.on_failure)
        return _key_source(signature, function, sequence.by, rule)
    if per_key is not None:
        raise options.refused("per_key", per_key, 'a PerKey, such as PerKey("customer", concurrency=1)')
    if sequence is not None:
        raise options.refused("sequence", sequence, 'a Sequence, such as Sequence("account")')
    return None


def _key_source(signature: Signature, function: Callable[..., Any], by: object, rule: GateRule) -> KeySource:
    if callable(by):
        return KeyedByFunction(rule, by, signature.decode)
    if not isinstance(by, str) or by not in signature.names:
        names = ", ".join(signature.names) or "it has none"
        raise options.refused("the key", by, f"the name of a parameter ({names}), or a function of the arguments")
    if by in signature.secrets:
        raise BadOption(
            f"The key of {signature.handler} cannot be its secret {by}.", why="Keys are shown to everybody."
        )
    default = inspect.signature(function).parameters[by].default
    return KeyedByArgument(rule, by, None if default is inspect.Parameter.empty else as_key(default))


def _origin(function: Callable[..., Any], process: object) -> Origin | None:
    """Where a worker process finds the function, if it is to run in one."""
    if not isinstance(process, bool):
        raise options.refused("process", process, "True or False")
    return origin_of(function) if process else None


def _policy(retry: Delays | Rules | RetryPolicy | None, never: Listed[type[BaseException]]) -> RetryPolicy:
    """The policy that a declaration spells in one of five ways."""
    _check_exceptions("never", never)
    if isinstance(retry, RetryPolicy):
        return msgspec.structs.replace(retry, rules=(*((kind, None) for kind in never), *retry.rules))
    try:
        if isinstance(retry, Mapping):
            _check_exceptions("retry", list(retry))
            return policy(rules=retry, never=never)
        return policy(retry, never=never)
    except (ValueError, TypeError) as error:
        raise options.refused("retry", retry, _RETRY_ALLOWED, hint=str(error)) from None


def _check_exceptions(option: str, kinds: object) -> None:
    """Refuse anything but a list of exception classes."""
    if not isinstance(kinds, list | tuple):
        raise options.refused(option, kinds, "a list or tuple of exception classes")
    for kind in cast("Listed[Any]", kinds):
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise options.refused(option, cast("object", kind), "exception classes")
