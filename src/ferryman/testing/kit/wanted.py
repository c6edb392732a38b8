"""What a test expects to have been enqueued, and how a job that was differs from it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final, ParamSpec, Protocol, runtime_checkable

import msgspec

from ferryman.client import JobRequest
from ferryman.domain import options
from ferryman.domain.errors import FerrymanError
from ferryman.domain.job import MICROS, NewJob
from ferryman.engine.registry import Handler

P = ParamSpec("P")

_OPTIONS: Final = ("queue", "priority", "max_attempts", "timeout", "unique_key")
"""Options of a call that a job keeps under the same name."""
_MISSING: Final = "not given"


@runtime_checkable
class CallLike(Protocol):
    """What `job.call(...)` gives, with or without options."""

    @property
    def request(self) -> JobRequest:
        """What would be asked of the client."""
        ...


@runtime_checkable
class JobLike(Protocol[P]):
    """A declared job."""

    @property
    def type(self) -> str:
        """By which its handler is found."""
        ...

    def call(self, *args: P.args, **kwargs: P.kwargs) -> CallLike:
        """Bind arguments."""
        ...


class Wanted(msgspec.Struct, frozen=True):
    """A type, and maybe the arguments and options that a job of it should have."""

    type: str
    request: JobRequest | None = None
    """None fits any job of the type."""

    def differences(self, job: NewJob, handler: Handler | None) -> list[str]:
        """How a job of the type differs, said for people; empty where it fits."""
        if self.request is None:
            return []
        arguments = _compared(_arguments(self.request.payload, handler), _arguments(job.payload, handler))
        given = {name: getattr(self.request, name) for name in _OPTIONS}
        asked = {name: value for name, value in given.items() if value is not None}
        had = {name: getattr(job, name) for name in asked}
        return [*arguments, *_compared(asked, had), *_when(self.request, job), *_tags(self.request, job)]

    def __str__(self) -> str:
        if self.request is None:
            return f"{self.type}, with any arguments"
        asked = [
            f"{name}={getattr(self.request, name)!r}"
            for name in (*_OPTIONS, "delay", "tags")
            if getattr(self.request, name) not in (None, ())
        ]
        if self.request.run_at is not None:
            asked.append("a time to run at")
        if self.request.expires_at is not None:
            asked.append("a time to expire at")
        return f"{self.type}({spelled(self.request.payload)})" + (f" with {', '.join(asked)}" if asked else "")


def wanted(what: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Wanted:
    """From what was said in an assertion.

    Raises:
        BadOption: it is neither a job, nor a call, nor the name of a type.
        EnqueueError: the job could not be called with these arguments.
    """
    if isinstance(what, str) and not args and not kwargs:
        return Wanted(what)
    if isinstance(what, CallLike) and not args and not kwargs:
        return Wanted(what.request.type, what.request)
    if isinstance(what, JobLike):
        return Wanted(what.type, what.call(*args, **kwargs).request if args or kwargs else None)
    raise options.refused(
        "what is looked for", what, "a job with its arguments, a call such as job.call(...), or the name of a type"
    )


def spelled(payload: str) -> str:
    """A payload as the arguments of a call."""
    return ", ".join(f"{name}={value!r}" for name, value in msgspec.json.decode(payload).items())


def _arguments(payload: str, handler: Handler | None) -> dict[str, Any]:
    """What the handler is called with, defaults included; the bare payload where it does not fit the handler."""
    if handler is None:
        return dict(msgspec.json.decode(payload))
    try:
        given = handler.signature.decode(payload)
    except FerrymanError:
        return dict(msgspec.json.decode(payload))
    parameters = inspect.signature(handler.function).parameters
    defaults = {name: each.default for name, each in parameters.items() if each.default is not inspect.Parameter.empty}
    called_with = defaults | given
    order = [*(name for name in parameters if name in called_with), *(name for name in given if name not in parameters)]
    return {name: called_with[name] for name in order}


def _compared(asked: Mapping[str, Any], had: Mapping[str, Any]) -> list[str]:
    names = [*asked, *(name for name in had if name not in asked)]
    pairs = [(name, asked.get(name, _MISSING), had.get(name, _MISSING)) for name in names]
    return [f"{name} is {_shown(is_)}, not {_shown(wanted)}" for name, wanted, is_ in pairs if is_ != wanted]


def _shown(value: object) -> str:
    return _MISSING if value is _MISSING else repr(value)


def _when(request: JobRequest, job: NewJob) -> list[str]:
    delay = 0 if job.run_at is None else job.run_at - job.created_at
    if request.delay is not None and delay != round(request.delay * MICROS):
        return [f"its delay is {delay / MICROS:g} s, not {request.delay:g} s"]
    if request.run_at is not None and job.run_at != request.run_at:
        return ["it is to run at another time"]
    if request.expires_at is not None and job.expires_at != request.expires_at:
        return ["it expires at another time"]
    return []


def _tags(request: JobRequest, job: NewJob) -> list[str]:
    missing = [tag for tag in request.tags if tag not in job.tags]
    return [f"it has no tag {tag!r}" for tag in missing]
