"""The JSON Schema of a handler's arguments, for those who make a form or a client of it.

Made when a node tells the store of its types, never where a type is only declared or enqueued.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from inspect import Parameter
from typing import Any, Final, cast

import msgspec

from ferryman.domain import models, strictjson
from ferryman.engine import json_types

MAX_SIZE: Final = 64 * 1024
"""A larger one is not told, in bytes: every process that asks for types would carry it."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = "#/$defs/{name}"
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._-]")
"""What cannot stand in a reference as it is."""
_BY_NAME: Final = frozenset({"properties", "$defs"})
"""What has schemas by names that others chose: a member named default is no default."""
_AS_IT_IS: Final = frozenset({"enum", "const", "examples"})
"""What has values instead of schemas."""

Schema = dict[str, Any]


def arguments_schema(parameters: Iterable[Parameter]) -> str | None:
    """What payloads must look like, as a JSON Schema (2020-12): one text for the same parameters, in every process.

    None where it would be larger than `MAX_SIZE`, or cannot be made: annotations are foreign, and no type goes
    undeclared for want of a schema.
    """
    try:
        data = msgspec.json.encode(_object(list(parameters)))
    except Exception:
        return None
    return data.decode() if len(data) <= MAX_SIZE else None


def _object(parameters: list[Parameter]) -> Schema:
    """The schema of an object with a member per parameter."""
    foreign = _Foreign()
    annotations = [json_types.asked_of_json(each) for each in parameters]
    found, definitions = msgspec.json.schema_components(annotations, schema_hook=foreign, ref_template=_REFERENCE)
    # what a class gives by itself may be a part of a secret
    hide = any(json_types.is_secret(each.annotation) for each in parameters)
    properties: dict[str, Schema] = {}
    required: list[str] = []
    rest: Schema | bool = False
    for parameter, annotation, schema in zip(parameters, annotations, found, strict=True):
        tidied = _tidied(schema, hide=hide)
        if parameter.kind is Parameter.VAR_KEYWORD:
            rest = tidied
            continue
        properties[parameter.name] = tidied | _said_of(parameter, annotation)
        if parameter.default is Parameter.empty:
            required.append(parameter.name)
    whole: Schema = {"$schema": _DIALECT, "type": "object", "properties": properties, "required": required}
    whole["additionalProperties"] = rest
    if definitions or foreign.definitions:
        whole["$defs"] = _each_tidied(definitions | foreign.definitions, hide=hide)
    return whole


def _said_of(parameter: Parameter, annotation: Any) -> Schema:
    """What is true of the parameter beside its type: that it is a secret, or what its default is."""
    if json_types.is_secret(parameter.annotation):
        return {"writeOnly": True}
    if parameter.default is Parameter.empty:
        return {}
    try:
        text = strictjson.encode(parameter.default)
        json_types.decoder(annotation).decode(text)
    except Exception:  # None for an int, or no JSON at all: whoever sent it would be refused
        return {}
    default = msgspec.json.decode(text)
    return {"default": default} if _is_plain(default) else {}


class _Foreign:
    """Makes schemas of what msgspec does not know."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        """What these refer to, by names that begin with where the model is written."""

    def __call__(self, annotation: Any) -> Schema:
        if not models.is_model(annotation):
            return {"description": "Anything."}  # `object`; an empty schema would be none
        name = _NO_NAME.sub("_", f"{annotation.__module__}:{annotation.__qualname__}")
        try:
            schema = models.schema(annotation, _REFERENCE.format(name=f"{name}.{{model}}"))
        except Exception:  # what it does when it is asked is foreign
            return {"description": f"What the model {annotation.__name__} takes."}
        for model, definition in schema.pop("$defs", {}).items():
            self.definitions[f"{name}.{model}"] = definition
        return schema


# -- one text in every process -----------------------------------------------------------------------


def _tidied(schema: Any, *, hide: bool) -> Any:
    """A schema with the defaults that are plain, or with none.

    Others may be sets, whose order differs from process to process.
    """
    if isinstance(schema, list):
        return [_tidied(each, hide=hide) for each in cast("Iterable[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    tidied: Schema = {}
    for key, value in cast("Schema", schema).items():
        if key == "default" and (hide or not _is_plain(value)):
            continue
        if key in _BY_NAME and isinstance(value, dict):
            tidied[key] = _each_tidied(cast("dict[str, Schema]", value), hide=hide)
        else:
            tidied[key] = value if key in _AS_IT_IS else _tidied(value, hide=hide)
    return tidied


def _each_tidied(schemas: Mapping[str, Schema], *, hide: bool) -> dict[str, Schema]:
    return {name: _tidied(each, hide=hide) for name, each in schemas.items()}


def _is_plain(value: object) -> bool:
    """Whether it is one value, or an empty container."""
    return not isinstance(value, dict | list) or not value
