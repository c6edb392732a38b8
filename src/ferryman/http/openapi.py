"""The OpenAPI document of the API, made of the operations that the router is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

import msgspec

from ferryman.http.forms import GroupId, Id, JobKey, Name, QueueName, Text
from ferryman.http.operation import LINES, Operation
from ferryman.version import VERSION

Json = dict[str, Any]

ALWAYS: Final = (400, 406, 503)
"""The statuses of what can go wrong with every operation."""
GUARDED: Final = (401, 403, 429)
"""Those of one that asks for a right."""
WRITING: Final = (413, 422)
"""Those of one whose body is read, be it that there should be none."""
PROBLEM: Final = "application/problem+json"

_IN_PATH: Final = re.compile(r"{(\w+)(?::path)?}")
_REF: Final = "#/components/schemas/{name}"
_IN_PATH_BELOW: Final[Mapping[str, Any]] = {
    "api-keys": Name,
    "errors": GroupId,
    "jobs": Id,
    "keys": JobKey,
    "nodes": Text,
    "operations": Id,
    "queues": QueueName,
    "schedules": Name,
    "types": Name,
}
"""What stands in the path, by what it stands below."""


class ErrorAt(msgspec.Struct):
    """One thing that is wrong with a request."""

    pointer: str
    message: str


class Problem(msgspec.Struct):
    """What went wrong, by RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    """The one to branch on."""
    hint: str
    errors: list[ErrorAt]


def document(operations: Sequence[Operation]) -> Json:
    """The document: OpenAPI 3.1, ready to be encoded."""
    forms = _Forms(operations)
    paths: dict[str, Json] = {}
    for each in operations:
        paths.setdefault(path_of(each), {})[each.method.lower()] = _operation(each, forms)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ferryman",
            "version": VERSION,
            "description": "A job queue: every job crosses once. See docs/http.md for the words.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": forms.schemas,
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "description": "An API key."}},
        },
    }


def path_of(operation: Operation) -> str:
    """The path as the document has it: what stands in braces is only named."""
    return _IN_PATH.sub(r"{\1}", operation.path)


class _Forms:
    """Every type that operations name, as JSON Schema."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        types = [Problem, *_IN_PATH_BELOW.values()]
        for each in operations:
            forms = (each.query, each.headers, each.body, *each.answers.values())
            types += [form for form in forms if form is not None]
        found, components = msgspec.json.schema_components(types, ref_template=_REF)
        self._found = {repr(type): _plainly(schema) for type, schema in zip(types, found, strict=True)}
        self._structs = {name: _plainly(schema) for name, schema in components.items()}
        hidden = {form.__name__ for each in operations for form in (each.query, each.headers) if form is not None}
        self.schemas = {_plain_name(name): schema for name, schema in self._structs.items() if name not in hidden}
        """Those that have names; parameters stand where they are used."""

    def of(self, type: Any) -> Json:
        """The schema of a type that some operation names; by its text, as not all types can be hashed."""
        return self._found[repr(type)]

    def fields(self, struct: type[msgspec.Struct]) -> Iterator[tuple[str, Json]]:
        """The fields of a struct whose fields are parameters, which are never null."""
        for name, schema in self._structs[struct.__name__]["properties"].items():
            yield name, _without_null(schema)


def _operation(operation: Operation, forms: _Forms) -> Json:
    told: Json = {
        "operationId": _operation_id(operation),
        "tags": [_group(operation)],
        "summary": operation.says,
        "parameters": list(_parameters(operation, forms)),
        "responses": _responses(operation, forms),
    }
    if operation.body is not None:
        body: Json = {"required": True, "content": {operation.takes: {"schema": forms.of(operation.body)}}}
        if operation.takes == LINES:
            body["description"] = "One a line; the schema is that of each line."
        told["requestBody"] = body
    if operation.right is not None:
        told["security"] = [{"apiKey": []}, {}]
        told["description"] = f"Needs the scope `{operation.right}`, where API keys are asked for."
    return told


def _group(operation: Operation) -> str:
    """What it is about: the first part of its path."""
    return operation.path.split("/")[1]


def _operation_id(operation: Operation) -> str:
    words = [part for part in re.split(r"[^A-Za-z]+", path_of(operation)) if part]
    return "_".join([operation.method.lower(), *words])


def _parameters(operation: Operation, forms: _Forms) -> Iterator[Json]:
    for name in _IN_PATH.findall(operation.path):
        schema = forms.of(_IN_PATH_BELOW[_group(operation)])
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    for place, struct in (("query", operation.query), ("header", operation.headers)):
        if struct is not None:
            for name, schema in forms.fields(struct):
                yield {"name": name, "in": place, "required": False, "schema": schema}


def _responses(operation: Operation, forms: _Forms) -> Json:
    told: Json = {str(status): _answer(operation, status, form, forms) for status, form in operation.answers.items()}
    for status in sorted(set(_statuses_of_problems(operation)) - operation.answers.keys()):
        content = {PROBLEM: {"schema": forms.of(Problem)}}
        told[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    return told


def _statuses_of_problems(operation: Operation) -> Iterator[int]:
    yield from ALWAYS
    yield from operation.problems
    if operation.right is not None:
        yield from GUARDED
    if operation.method != "GET":
        yield from WRITING
    if operation.body is not None:
        yield HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    if "{name}" in operation.path or "{key" in operation.path:
        yield HTTPStatus.UNPROCESSABLE_ENTITY


def _answer(operation: Operation, status: int, form: Any, forms: _Forms) -> Json:
    told: Json = {"description": HTTPStatus(status).phrase}
    if form is not None:
        json = {"schema": forms.of(form)}
        told["content"] = {kind: json if kind.endswith("json") else _TEXT for kind in operation.offers}
    if status == HTTPStatus.CREATED and _group(operation) != "api-keys" and operation.path != "/jobs/batch":
        told["headers"] = {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}
    return told


_TEXT: Final = {"schema": {"type": "string"}}


def _plain_name(name: str) -> str:
    return name.removesuffix("Json")


def _plainly(schema: Json) -> Json:
    """The same schema with the plain names of what it refers to, and of itself."""
    told = {key: _plainly_within(value) for key, value in schema.items()}
    for name in ("$ref", "title"):
        if isinstance(told.get(name), str):
            told[name] = _plain_name(told[name])
    return told


def _plainly_within(value: Any) -> Any:
    if isinstance(value, dict):
        return _plainly(cast("Json", value))
    if isinstance(value, list):
        return [_plainly_within(each) for each in cast("Sequence[Any]", value)]
    return value


def _without_null(schema: Json) -> Json:
    """The schema of a parameter: one that is not there is not null, it is not there."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if not kinds:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf" and value is not None}
    return {**rest, **(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})}
