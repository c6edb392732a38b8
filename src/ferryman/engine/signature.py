"""A handler's parameters: what may be enqueued for it, and what it is called with.

Built once per handler. A payload is a JSON object whose members are the keyword arguments, exactly those
that the caller gave: a default is the handler's business when it runs, not the caller's when he enqueues.
The types are checked by decoding what was encoded, so that what is accepted is what will be understood.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from inspect import Parameter
from typing import Any, Final, cast

import msgspec

from ferryman.domain import strictjson
from ferryman.domain.errors import (
    BadHandler,
    EnqueueError,
    MissingArgument,
    PayloadMismatch,
    UnknownArgument,
    WrongArgumentType,
)
from ferryman.domain.scrub import scrubber
from ferryman.domain.secrets import Secret
from ferryman.domain.suggest import did_you_mean
from ferryman.engine import json_types
from ferryman.engine.schema import arguments_schema

Function = Callable[..., Any]

_PATH: Final = re.compile(r" - at `\$\.([^.\[`]+)(.*)`$", re.DOTALL)
_BY_NAME: Final = "Declare each parameter by name, or take any others with **rest."


class Signature:
    """Binds arguments to a payload and decodes a payload to arguments."""

    def __init__(self, function: Function, *, wants_context: bool = False) -> None:
        """Read a handler's parameters.

        Raises:
            BadHandler: the function cannot be a handler, saying why and what to do.
        """
        self.handler = name_of(function)
        self._parameters = parameters = _parameters(function, wants_context)
        keywords = [each for each in parameters if each.kind is Parameter.VAR_KEYWORD]
        named = [each for each in parameters if each.kind is not Parameter.VAR_KEYWORD]
        self._names = tuple(each.name for each in named)
        self._positions = tuple(each.name for each in named if each.kind is Parameter.POSITIONAL_OR_KEYWORD)
        self._required = frozenset(each.name for each in named if each.default is Parameter.empty)
        self.secrets = frozenset(each.name for each in named if json_types.is_secret(each.annotation))
        """The parameters that are annotated as Secret[...]; what is given for them is shown to nobody else."""
        self._secret_defaults = tuple(
            each.default for each in named if each.name in self.secrets and each.default is not Parameter.empty
        )
        self._rest = json_types.rest_decoder(self.handler, keywords[0]) if keywords else None
        self._ordinary = not self.secrets and self._rest is None
        """Most signatures: there is nothing more to do with what was decoded."""
        self._decoder = json_types.parameters_decoder(self.handler, named, strict=self._rest is None)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that have names."""
        return self._names

    @cached_property
    def schema(self) -> str | None:
        """The JSON Schema of the payloads that fit, as text; None where none can be told (see `arguments_schema`)."""
        return arguments_schema(self._parameters)

    def bind(self, arguments: tuple[object, ...], keywords: Mapping[str, object]) -> str:
        """The payload for a call.

        Raises:
            MissingArgument, UnknownArgument, WrongArgumentType, NotSerialisable, BadNumber, BadText, TooDeep:
                each names the argument and the handler.
        """
        given = dict(zip(self._positions, arguments, strict=False))
        given.update(keywords)
        if len(given) != len(arguments) + len(keywords):
            raise self._wrong_count(arguments, keywords)
        if self.secrets:
            given = self._revealed(given)
        try:
            payload = strictjson.encode(given)
            self._read(payload)
        except EnqueueError:
            self._blame(given)
            raise
        except Exception as error:
            raise self._argument_error(error, given) from None
        return payload

    def decode(self, payload: str) -> dict[str, Any]:
        """The keyword arguments that a stored payload stands for.

        Raises:
            PayloadMismatch: the payload does not fit the parameters that the handler has now.
        """
        try:
            return self._read(payload)
        except Exception as error:
            raise PayloadMismatch(
                f"The payload does not fit {self.handler}.",
                why=self._argument_error(error, _members(payload)).what,
                hint="The job was enqueued for another signature: give new parameters a default, keep old ones.",
            ) from None

    def check(self, payload: str) -> None:
        """Refuse a payload that the handler could not be called with.

        Raises:
            MissingArgument, UnknownArgument, WrongArgumentType: each names the argument and the handler.
        """
        try:
            self._read(payload)
        except Exception as error:
            raise self._argument_error(error, _members(payload)) from None

    def scrubber(self, payload: str) -> Callable[[str], str]:
        """Takes the secrets of a call out of texts; for signatures with `secrets`, off the hot path."""
        try:
            arguments = self._read(payload)
        except Exception:  # no handler was called with this payload
            arguments = {}
        # a value may be spelled as JSON has it and as Python has it
        return scrubber([*self._hidden(_members(payload)), *self._hidden(arguments)])

    def _read(self, payload: str) -> dict[str, Any]:
        """Decode a payload. Raises msgspec's errors, and whatever the `__post_init__` of a foreign type raises."""
        found = self._decoder.decode(payload)
        named = {name: value for name in self._names if (value := getattr(found, name)) is not msgspec.UNSET}
        if self._ordinary:
            return named
        if self.secrets:
            named = {name: Secret(value) if name in self.secrets else value for name, value in named.items()}
        if self._rest is None:
            return named
        return {**self._rest(payload, self._names), **named}

    def _revealed(self, given: dict[str, object]) -> dict[str, object]:
        """Secrets as what they hold; a plain value is as good."""
        return {name: _plain(value) if name in self.secrets else value for name, value in given.items()}

    def _hidden(self, given: Mapping[str, object] | None) -> list[object]:
        """What is not to be shown of these arguments, and of the defaults."""
        return [value for name, value in (given or {}).items() if name in self.secrets] + [*self._secret_defaults]

    # -- saying what is wrong: off the hot path --------------------------------------------------

    def _wrong_count(self, arguments: tuple[object, ...], keywords: Mapping[str, object]) -> EnqueueError:
        """More arguments than positions, or one argument given twice."""
        for name in self._positions[: len(arguments)]:
            if name in keywords:
                return UnknownArgument(f"{self.handler} got its argument {name} twice, by position and by name.")
        return UnknownArgument(
            f"{self.handler} takes at most {len(self._positions)} arguments by position, {len(arguments)} were given.",
            hint=self._takes(),
        )

    def _blame(self, given: Mapping[str, object]) -> None:
        """Name the argument that has no JSON form, if it alone is to blame."""
        for name, value in given.items():
            try:
                strictjson.encode(value)
            except EnqueueError as error:
                what, why = error.what, error.why
                if name in self.secrets:  # where in it something is wrong may tell its names
                    what, why = "What it holds has no JSON form that can be kept.", ""
                raise type(error)(f"The argument {name} of {self.handler}: {what}", why=why, hint=error.hint) from None

    def _argument_error(self, error: Exception, given: Mapping[str, object] | None) -> EnqueueError:
        """Say what msgspec found, in the words of a call."""
        text = str(error)
        hide = scrubber(self._hidden(given))
        path = _PATH.search(text)
        if path is not None and path[1] in self._names:
            found = hide(_finding(text, path, json_types.place_in_model(error)))
            return WrongArgumentType(f"The argument {path[1]} of {self.handler} has the wrong type: {found}")
        if given is None:
            return WrongArgumentType(f"The payload of {self.handler} is not a JSON object.", hint=self._takes())
        for name in given:
            if self._rest is None and name not in self._names:
                near = did_you_mean(name, self._names)
                return UnknownArgument(f"{self.handler} has no argument {name!a}.", why=near, hint=self._takes())
        for name in sorted(self._required - given.keys()):
            return MissingArgument(f"{self.handler} needs its argument {name}.", hint=self._takes())
        return WrongArgumentType(f"An argument of {self.handler} has the wrong type: {hide(text)}.")

    def _takes(self) -> str:
        return f"It takes: {', '.join(self._names) or 'nothing'}{', and any other' if self._rest else ''}."


def name_of(function: Function) -> str:
    """What a function is called in messages, and its job's type unless a name is given."""
    return str(getattr(function, "__name__", None) or type(function).__name__)


def result_decoder(function: Function) -> Callable[[str], Any]:
    """Reads a handler's results: as its return annotation says where JSON can say it, else as plain JSON."""
    return json_types.result_decoder(inspect.signature(function, eval_str=True).return_annotation)


def _parameters(function: Function, wants_context: bool) -> list[Parameter]:
    """The parameters that a payload may fill."""
    _refuse_shape(function)
    name = name_of(function)
    try:
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    except Exception as error:  # evaluating annotations runs foreign code
        raise BadHandler(
            f"The annotations of {name} cannot be read.",
            why=f"{type(error).__name__}: {error}.",
            hint="Import what they name at the top of the module, outside TYPE_CHECKING.",
        ) from error
    if wants_context:
        if not parameters or parameters[0].kind not in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
            raise BadHandler(
                f"{name} has no first parameter for its Context.", hint=f"Write def {name}(ctx: Context, ...)."
            )
        parameters = parameters[1:]
    for each in parameters:
        if each.kind is Parameter.VAR_POSITIONAL:
            raise BadHandler(f"{name} has *{each.name}.", why="A payload's members have names.", hint=_BY_NAME)
        if each.kind is Parameter.POSITIONAL_ONLY:
            why = "A payload's members are given by name."
            raise BadHandler(f"{name} has the positional-only parameter {each.name}.", why=why, hint=_BY_NAME)
    return parameters


def _refuse_shape(function: Function) -> None:
    """Only a function with a name that returns, or awaits, one result can be a handler."""
    if inspect.isclass(function):
        raise BadHandler(f"The class {function.__name__} cannot be a handler.", hint="Declare a function that uses it.")
    if not (inspect.isfunction(function) or inspect.ismethod(function)):
        kind = type(function).__name__
        raise BadHandler(f"A handler cannot be of type {kind}.", hint="Declare a function, def or async def.")
    if function.__name__ == "<lambda>":
        raise BadHandler("A lambda cannot be a handler.", why="It has no name to find it by.", hint="Write it as def.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise BadHandler(
            f"The generator {function.__name__} cannot be a handler.",
            why="A job has one result.",
            hint="Return it instead of yielding it.",
        )


def _members(payload: str) -> dict[str, Any] | None:
    """The members of a payload; None where it is no JSON object."""
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _finding(text: str, path: re.Match[str], in_model: str) -> str:
    """msgspec's finding, with the path below the argument where there is one."""
    found = text[: path.start()]
    if found[1:2].islower():
        found = found[:1].lower() + found[1:]
    below = path[2] + in_model
    return f"{found} at {path[1]}{below}." if below else f"{found}."


def _plain(value: object) -> object:
    """What a Secret holds; any other value as it is."""
    return cast("Secret[object]", value).reveal() if isinstance(value, Secret) else value
