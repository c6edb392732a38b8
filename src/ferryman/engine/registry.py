"""The handlers of one app, by type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ferryman.domain.errors import DuplicateType, UnknownType
from ferryman.domain.job import AfterCrashes, ClaimedJob, NewJob
from ferryman.domain.keyed import KeyedByArgument, KeySource
from ferryman.domain.retry import RetryPolicy
from ferryman.engine.hooks import Hooks
from ferryman.engine.origin import Origin
from ferryman.engine.signature import Function, Signature
from ferryman.store.records import Declaration

if TYPE_CHECKING:
    from ferryman.domain.schedule import Schedule


class Handler(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A user's function, and how its jobs are to be enqueued and run."""

    type: str
    function: Function
    is_async: bool
    wants_context: bool
    """Whether the function's first argument is a Context."""
    signature: Signature
    queue: str
    priority: int
    max_attempts: int
    timeout: float | Literal["default"] | None
    """Seconds a run may take; None is no bound, "default" leaves it to DEFAULT_TIMEOUT."""
    retry: RetryPolicy
    after_crashes: AfterCrashes | None = None
    """Where a job goes whose node has died under it again and again."""
    keyed: KeySource | None = None
    """How its jobs have keys, and what the gates of these keep to."""
    origin: Origin | None = None
    """Where a worker process finds the function; None if it runs in the node's own process."""

    @property
    def secrets(self) -> frozenset[str]:
        """The parameters whose arguments are shown to nobody but the function (see `Secret`)."""
        return self.signature.secrets

    def hiding(self, payload: str) -> Callable[[str], str]:
        """What takes the secrets of a payload out of a text that is kept; most handlers have none."""
        return self.signature.scrubber(payload) if self.signature.secrets else str

    def check(self, payload: str) -> None:
        """Refuse a payload that the function could not be called with (see `Signature.check`)."""
        self.signature.check(payload)


def no_follow_ups(_request: object) -> NewJob:
    """What admits follow-ups where nobody does. Raises UnknownType."""
    raise UnknownType("This node was built without the means to take follow-ups.")


class Registry:
    """Which handler runs a type; filled while the user's module is imported, then only read."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self.settings: Mapping[str, str] = {}
        """In a worker process the node's settings, as text by field; they go before all others."""
        self.admit: Callable[[Any], NewJob] = no_follow_ups
        """In a worker process: the job for a request that a handler makes, from any thread; raises EnqueueError."""
        self.hooks = Hooks()
        """What is called around their runs, and around the life of their process."""
        self.schedules: dict[str, Schedule] = {}
        """What is to be enqueued by the clock, by name."""

    def add(self, handler: Handler) -> None:
        """Take a handler in.

        Raises:
            DuplicateType: another handler has this type.
        """
        there = self._handlers.get(handler.type)
        if there is not None:
            raise DuplicateType(
                f"Two handlers have the type {handler.type}.",
                why=f"{_place(there.function)} and {_place(handler.function)}.",
                hint="Give one of them another name=.",
            )
        self._handlers[handler.type] = handler

    def replace(self, handler: Handler) -> None:
        """Have another handler run the jobs of its type from now on; who declared it does not see that."""
        self._handlers[handler.type] = handler

    def get(self, type: str) -> Handler | None:
        """The handler of a type."""
        return self._handlers.get(type)

    def hiding(self, job: ClaimedJob) -> Callable[[str], str]:
        """What takes the secrets of a job out of a text that is kept."""
        handler = self._handlers.get(job.lane.type)
        return str if handler is None else handler.hiding(job.payload)

    @property
    def types(self) -> frozenset[str]:
        """Every type that has a handler here."""
        return frozenset(self._handlers)

    @property
    def declarations(self) -> Mapping[str, Declaration]:
        """What each type says of its jobs, for those who have no handler of it."""
        return {
            type: Declaration(
                each.queue,
                each.priority,
                each.max_attempts,
                each.secrets,
                each.after_crashes,
                _told(each.keyed),
                each.signature.schema,
            )
            for type, each in self._handlers.items()
        }


def _told(keyed: KeySource | None) -> KeyedByArgument | None:
    """What others can know of the keys: what a function gives only this process can tell."""
    return keyed if keyed is None or isinstance(keyed, KeyedByArgument) else KeyedByArgument(keyed.rule)


def _place(function: Any) -> str:
    """Where a function is written."""
    code = function.__code__
    return f"{function.__module__}.{function.__qualname__} (line {code.co_firstlineno})"
