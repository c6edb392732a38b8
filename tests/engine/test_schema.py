"""The JSON Schema of a handler's arguments: one text, and true of what the handler takes."""

from __future__ import annotations

import enum
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, TypedDict, cast

import attrs
import jsonschema_rs
import msgspec
import pytest
from msgspec import Meta
from pydantic import BaseModel, SecretStr
from typing_extensions import TypeAliasType

from ferryman import Ferryman, Secret
from ferryman.domain.errors import BadHandler, EnqueueError
from ferryman.engine.schema import MAX_SIZE
from ferryman.engine.signature import Signature
from tests.engine.test_argument_types import CASES, taking

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
NOTHING = {"type": "null"}
Patterned = Annotated[str, Meta(pattern="^a")]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Circle(msgspec.Struct):
    """It is round."""

    radius: float
    names: frozenset[str] = frozenset({"a", "b", "c", "d"})
    default: int = 3


class Pair(NamedTuple):
    first: int
    second: str


@dataclass
class Nested:
    circles: list[Circle]
    colour: Colour | None = None
    more: list[int] = field(default_factory=list)


@attrs.define
class Drawn:
    number: int


class Flags(TypedDict):
    deep: bool
    wide: NotRequired[int]


class Child(BaseModel):
    name: str
    children: list[Child] = []


class Parent(BaseModel):
    child: Child
    password: SecretStr = SecretStr("open sesame")


class Refusing(BaseModel):
    @classmethod
    def model_json_schema(cls, *_args: Any, **_options: Any) -> dict[str, Any]:
        raise RuntimeError("no schema today")


def told(function: Callable[..., Any], *, wants_context: bool = False) -> dict[str, Any]:
    text = Signature(function, wants_context=wants_context).schema
    assert text is not None
    schema: dict[str, Any] = json.loads(text)
    jsonschema_rs.Draft202012Validator(schema)  # refuses what is no schema
    return schema


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int, NUMBER),
        (str, TEXT),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (list[int], {"type": "array", "items": NUMBER}),
        (
            tuple[int, str],
            {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [NUMBER, TEXT], "items": False},
        ),
        (dict[str, int], {"type": "object", "additionalProperties": NUMBER}),
        (str | None, {"anyOf": [TEXT, NOTHING]}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (uuid.UUID, TEXT | {"format": "uuid"}),
        (date, TEXT | {"format": "date"}),
        (datetime, TEXT),
        (timedelta, TEXT | {"format": "duration"}),
        (Decimal, TEXT | {"format": "decimal"}),
        (bytes, TEXT | {"contentEncoding": "base64"}),
        (
            Annotated[int, Meta(ge=1, le=9, description="How many.")],
            NUMBER | {"minimum": 1, "maximum": 9, "description": "How many."},
        ),
        (Patterned, TEXT | {"pattern": "^a"}),
        (Patterned | int | None, {"anyOf": [TEXT | {"pattern": "^a"}, NUMBER, NOTHING]}),
        (Annotated[str, Meta(examples=[{"default": [1]}])], TEXT | {"examples": [{"default": [1]}]}),
        (Any, {}),
        (object, {"description": "Anything."}),
        (Secret[str], TEXT | {"writeOnly": True}),
        (Secret[list[int] | None], {"anyOf": [{"type": "array", "items": NUMBER}, NOTHING], "writeOnly": True}),
        (Secret, {"writeOnly": True}),
    ],
    ids=str,
)
def test_an_argument_is_told_as_its_annotation_says(annotation: Any, schema: dict[str, Any]) -> None:
    assert told(taking(annotation)) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"value": schema},
        "required": ["value"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("annotation", "stored"), [(case[1], case[3]) for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_a_handler_takes_fits_its_schema_and_a_stranger_does_not(annotation: Any, stored: Any) -> None:
    fits = jsonschema_rs.Draft202012Validator(told(taking(annotation))).is_valid
    assert fits({"value": stored})
    assert not fits({})
    assert not fits({"value": stored, "other": 1})


@pytest.mark.parametrize(
    ("annotation", "fit", "other"),
    [
        (Colour, "red", "green"),
        (Circle, {"radius": 1.5}, {"radius": "wide"}),
        (Nested, {"circles": [{"radius": 1}], "colour": "blue"}, {"circles": [{}]}),
        (Drawn, {"number": 1}, {"number": "1"}),
        (Flags, {"deep": True}, {"wide": 1}),
        (Pair, [1, "a"], ["a", 1]),
        (Parent, {"child": {"name": "a", "children": [{"name": "b"}]}}, {"child": {"name": "a", "children": [{}]}}),
        (list[Child], [{"name": "a"}], [{"name": 1}]),
        (Secret[Circle], {"radius": 1}, {}),
    ],
    ids=str,
)
def test_classes_are_told_and_what_they_refer_to(annotation: Any, fit: Any, other: Any) -> None:
    fits = jsonschema_rs.Draft202012Validator(told(taking(annotation))).is_valid
    assert fits({"value": fit})
    assert not fits({"value": other})


def ship(
    ctx: object,
    number: int,
    name: str = "tea",
    *,
    colour: Colour = Colour.RED,
    amount: Decimal = Decimal("1.50"),
    until: date | None = None,
    marks: list[int] = [],  # noqa: B006
    more: tuple[int, ...] = (1, 2),
    wrong: int = None,  # type: ignore[assignment]  # noqa: RUF013 # pyright: ignore[reportArgumentType]
    odd: object = object(),
    rate: float | None = float("nan"),
    token: Secret[str] = Secret("hunter2"),  # noqa: B008
) -> None: ...


def test_defaults_are_told_where_they_are_plain_and_would_be_taken() -> None:
    schema = told(ship, wants_context=True)
    assert list(schema["properties"]) == [
        *("number", "name", "colour", "amount", "until", "marks", "more", "wrong", "odd", "rate", "token")
    ]
    assert schema["required"] == ["number"]
    defaults = {name: each["default"] for name, each in schema["properties"].items() if "default" in each}
    assert defaults == {"name": "tea", "colour": "red", "amount": "1.50", "until": None, "marks": []}
    assert schema["properties"]["token"] == TEXT | {"writeOnly": True}


def anything(**rest: Any) -> None: ...
def numbers(name: str, **rest: int) -> None: ...
def nothing() -> None: ...


def test_what_takes_any_other_says_so() -> None:
    assert told(anything)["additionalProperties"] == {}
    assert told(anything)["required"] == []
    assert told(numbers)["additionalProperties"] == NUMBER
    assert told(nothing) | {"$schema": ""} == {
        "$schema": "",
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }


def hiding(shape: Circle, token: Secret[Parent]) -> None: ...


def test_what_a_class_gives_by_itself_is_not_told_beside_a_secret() -> None:
    plain = told(taking(Circle))["$defs"]["Circle"]
    assert plain["properties"]["default"] == NUMBER | {"default": 3}, "a member named default is no default"
    assert plain["description"] == "It is round."
    schema = told(hiding)
    assert schema["$defs"]["Circle"]["properties"]["default"] == NUMBER
    assert schema["properties"]["token"]["writeOnly"] is True
    assert '"default":' not in json.dumps(schema["$defs"]).replace('"default": {', "")


def test_a_model_without_a_schema_is_anything() -> None:
    assert told(taking(Refusing))["properties"]["value"] == {"description": "What the model Refusing takes."}


def test_two_models_of_one_name_are_kept_apart() -> None:
    class Line(BaseModel):
        other: int
        lines: list[Line] = []  # that of this test

    Line.model_rebuild(_types_namespace={"Line": Line})
    first = Line

    def make() -> Any:
        class Line(BaseModel):
            name: str
            lines: list[Line] = []

        Line.model_rebuild(_types_namespace={"Line": Line})
        return Line

    def job(one: Any, two: Any) -> None: ...

    job.__annotations__ = {"one": first, "two": make()}
    fits = jsonschema_rs.Draft202012Validator(told(job)).is_valid
    assert fits({"one": {"other": 1, "lines": [{"other": 2}]}, "two": {"name": "a", "lines": [{"name": "b"}]}})
    assert not fits({"one": {"other": 1, "lines": [{"name": "b"}]}, "two": {"name": "a"}})


@pytest.mark.parametrize("length", [MAX_SIZE, 100_000])
def test_one_that_is_too_large_or_cannot_be_made_keeps_no_type_from_being_declared(length: int) -> None:
    app = Ferryman("memory://")
    app.job(name="large")(taking(Annotated[int, Meta(description="x" * length)]))
    app.job(name="broken")(taking(Annotated[int, Meta(description="\ud800")]))
    app.job(name="plain")(taking(int))
    declared = app.registry.declarations
    assert declared["large"].arguments is declared["broken"].arguments is None
    assert declared["plain"].arguments is not None


def test_a_schema_is_made_when_it_is_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    class Slow(BaseModel):
        @classmethod
        def model_json_schema(cls, *_args: Any, **_options: Any) -> dict[str, Any]:
            asked.append(cls)
            return {"type": "object"}

    app = Ferryman("memory://")
    app.job(name="slow")(taking(Slow))
    assert asked == []
    assert app.registry.declarations == app.registry.declarations
    assert asked == [Slow]


def test_every_process_makes_the_same_text() -> None:
    code = "from tests.engine.test_schema import *; print(Signature(taking(Nested)).schema)"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
    assert "Circle" in texts.pop()


@pytest.mark.parametrize(
    "annotation",
    [
        Patterned | list[str],
        dict[str, Patterned | set[int] | None],
        Annotated[Patterned | int, Meta(title="one")] | dict[str, int],
        Secret[Patterned | tuple[int, ...]],
        cast("Any", TypeAliasType)("Name", cast("Any", NewType)("Short", Patterned)) | list[Any],
    ],
    ids=str,
)
def test_a_union_that_msgspec_would_die_of_is_refused(annotation: Any) -> None:
    with pytest.raises(BadHandler, match="a text with a pattern") as caught:
        Signature(taking(annotation))
    assert "extra_json_schema" in caught.value.hint


def test_what_to_do_instead_is_told_in_the_schema() -> None:
    said = Annotated[str, Meta(extra_json_schema={"pattern": "^a"})]
    schema = told(taking(said | list[said]))["properties"]["value"]
    assert schema["anyOf"][0] == TEXT | {"pattern": "^a"}


def test_patterns_without_that_are_checked_as_before() -> None:
    signature = Signature(taking(list[Patterned] | int))
    signature.check('{"value":["ab"]}')
    with pytest.raises(EnqueueError):
        signature.check('{"value":["b"]}')
