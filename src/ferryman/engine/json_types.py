"""What JSON can say of an annotation: the decoders of parameters and results, and why there is none."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterable, Iterator
from inspect import Parameter
from types import UnionType
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin

import msgspec

from ferryman.domain import models
from ferryman.domain.errors import BadHandler
from ferryman.domain.secrets import Secret

_JSON_TYPES: Final = (
    "Use JSON types, datetime, UUID, Decimal, bytes, Enum, dataclasses, TypedDict, msgspec.Struct or pydantic models,"
    " and Any where the type should not be checked."
)
_HINTS: Final = {
    "Context": "Declare it with @app.job_with_context.",
    "SecretStr": "Declare it as Secret[str].",
    "SecretBytes": "Declare it as Secret[bytes].",
}

_ONLY_A_PART: Final = "Secret is only a part of it."
_SAY_IT_OF_ALL: Final = "Say it of a whole parameter that has a name: Secret[str | None], Secret[list[str]]."

_PATTERN_OR_MANY: Final = "msgspec cannot keep a text with a pattern and a list, set, tuple or dict apart."
_CHECK_IT: Final = "Leave the pattern to the handler, and say it as Meta(extra_json_schema={'pattern': ...})."
_CONTAINERS: Final[tuple[object, ...]] = (
    *(list, set, frozenset, tuple, dict),
    *(abc.Collection, abc.Sequence, abc.MutableSequence, abc.Set, abc.MutableSet, abc.Mapping, abc.MutableMapping),
)
_HINTS_BY_WHY: Final = {_ONLY_A_PART: _SAY_IT_OF_ALL, _PATTERN_OR_MANY: _CHECK_IT}


class _SecretInside(Exception):
    """A Secret is only a part of an annotation."""


def is_secret(annotation: object) -> bool:
    """Whether the annotation says that its argument is not to be shown."""
    return annotation is Secret or get_origin(annotation) is Secret


def parameters_decoder(name: str, parameters: Iterable[Parameter], *, strict: bool) -> msgspec.json.Decoder[Any]:
    """Decodes a payload into a struct with one field per parameter, UNSET where a default is to be used.

    Args:
        name: the handler's.
        strict: whether other members are refused.

    Raises:
        BadHandler: no JSON fits an annotation.
    """
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for each in parameters:
        annotation = _json_annotation(name, each)
        optional = each.default is not Parameter.empty
        fields.append((each.name, annotation, msgspec.UNSET) if optional else (each.name, annotation))
    struct = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=strict, gc=False)
    return decoder(struct)


def rest_decoder(name: str, parameter: Parameter) -> Callable[[str, tuple[str, ...]], dict[str, Any]]:
    """Decodes the members that `**parameter` takes: all but the named ones. Raises as `parameters_decoder`."""
    member = decoder(_json_annotation(name, parameter))

    def read(key: str, value: msgspec.Raw) -> Any:
        try:
            return member.decode(value)
        except msgspec.ValidationError as error:
            raise msgspec.ValidationError(f"{error} (in {key!a}{place_in_model(error)})") from None

    def decode(payload: str, named: tuple[str, ...]) -> dict[str, Any]:
        members = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
        return {key: read(key, value) for key, value in members.items() if key not in named}

    return decode


def decoder(annotation: Any) -> msgspec.json.Decoder[Any]:
    """Decodes what an annotation asks for, models of pydantic too."""
    return msgspec.json.Decoder(annotation, dec_hook=_foreign)


def result_decoder(annotation: object) -> Callable[[str], Any]:
    """Reads results: as the return annotation says where JSON can say it, else as plain JSON."""
    if annotation is Parameter.empty or _why_not_json(annotation):
        return msgspec.json.decode
    whole = decoder(annotation)

    def decode(result: str) -> Any:
        try:
            return whole.decode(result)
        except Exception:
            # an older version of the handler, or one that does not keep to its annotation: better plain than lost
            return msgspec.json.decode(result)

    return decode


def place_in_model(error: Exception) -> str:
    """Where in a model the value is that does not fit; empty for any other error."""
    cause = error.__cause__
    return cause.place if isinstance(cause, models.ModelMismatch) else ""


def asked_of_json(parameter: Parameter) -> Any:
    """What a parameter's annotation says that JSON is to fit: of a secret, what it holds."""
    annotation = Any if parameter.annotation is Parameter.empty else parameter.annotation
    if is_secret(annotation) and parameter.kind is not Parameter.VAR_KEYWORD:
        (annotation,) = get_args(annotation) or (Any,)
    return annotation


def _json_annotation(name: str, parameter: Parameter) -> Any:
    """What a parameter's annotation asks of JSON.

    Raises:
        BadHandler: no JSON fits the annotation.
    """
    annotation = asked_of_json(parameter)
    why = _why_not_json(annotation)
    if not why:
        return annotation
    wanted = _name_of(parameter.annotation)
    hint = _HINTS_BY_WHY.get(why) or _HINTS.get(wanted, _JSON_TYPES)
    raise BadHandler(f"No JSON fits the parameter {parameter.name}: {wanted} of {name}.", why=why, hint=hint)


def _name_of(annotation: Any) -> str:
    """An annotation as its author wrote it."""
    if not get_args(annotation) and hasattr(annotation, "__name__"):
        return str(annotation.__name__)
    return str(annotation).replace(f"{Secret.__module__}.", "")


def _why_not_json(annotation: Any) -> str:
    """Empty where msgspec can decode the annotation from JSON."""
    try:
        if _kills_msgspec(annotation):
            return _PATTERN_OR_MANY
        msgspec.json.schema(annotation, schema_hook=_schema_of_foreign)
    except _SecretInside:
        return _ONLY_A_PART
    except Exception as error:  # the annotation is foreign: TypeError, NameError of a forward reference, or its own
        return f"{str(error).strip().splitlines()[-1]}."
    return ""


def _kills_msgspec(annotation: Any) -> bool:
    """Whether a text with a pattern may be a container as well, as `Annotated[str, Meta(pattern=...)] | list[str]`.

    msgspec 0.22 breaks its memory when it forgets such a type, and the process dies. What classes say of their members
    it never forgets.
    """
    choices = list(_choices(annotation))
    kinds = [kind for kind, _ in choices]
    if any(patterned for _, patterned in choices) and any((get_origin(kind) or kind) in _CONTAINERS for kind in kinds):
        return True
    return any(_kills_msgspec(part) for kind in kinds if get_origin(kind) is not Literal for part in get_args(kind))


def _choices(annotation: Any, patterned: bool = False) -> Iterator[tuple[Any, bool]]:
    """What a value of an annotation may be, and whether a pattern is said of it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        said = any(isinstance(each, msgspec.Meta) and each.pattern is not None for each in annotation.__metadata__)
        yield from _choices(annotation.__origin__, patterned or said)
    elif origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _choices(each, patterned)
    elif isinstance(annotation, NewType):
        yield from _choices(annotation.__supertype__, patterned)
    elif hasattr(annotation, "__value__"):  # `type Name = ...`, since Python 3.12
        yield from _choices(annotation.__value__, patterned)
    else:
        yield annotation, patterned


def _schema_of_foreign(annotation: Any) -> dict[str, Any]:
    """That there is a JSON form, of what msgspec does not know."""
    if is_secret(annotation):
        raise _SecretInside
    if annotation is object or models.is_model(annotation):
        return {"description": "anything"}
    raise NotImplementedError


def _foreign(kind: type, value: Any) -> Any:
    """A value of a type that msgspec does not know, from JSON values."""
    return models.load(kind, value) if models.is_model(kind) else value  # `object` takes whatever JSON gives
