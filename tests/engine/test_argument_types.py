"""Arguments and results of every kind: enqueued, stored, given to the handler, returned, and read again."""

from __future__ import annotations

import enum
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypedDict

import attrs
import msgspec
import pytest
from pydantic import BaseModel, RootModel, SecretStr

from ferryman import Secret
from ferryman.domain.errors import BadHandler, NotSerialisable, PayloadMismatch, WrongArgumentType
from ferryman.domain.outcome import What
from ferryman.engine.signature import Signature, result_decoder
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench


class Colour(enum.Enum):
    RED = "red"


class Line(BaseModel):
    amount: Decimal
    colour: Colour = Colour.RED


class Order(BaseModel):
    id: uuid.UUID
    when: datetime
    lines: list[Line] = []


class Names(RootModel[list[str]]):
    pass


@dataclass
class Address:
    street: str
    number: int = 1


@dataclass
class Parcel:
    order: Order
    to: Address | None = None
    more: list[Line] = field(default_factory=list[Line])


@attrs.define
class Point:
    x: int
    y: float = 0.5


class Options(TypedDict, total=False):
    deep: bool
    models: list[Line]


class Pair(NamedTuple):
    left: int
    right: str


class Circle(msgspec.Struct, tag="circle"):
    radius: float


class Square(msgspec.Struct, tag="square"):
    side: float
    line: Line | None = None


ID = uuid.UUID(int=7)
LINE = Line(amount=Decimal("1.20"))
LINE_JSON = {"amount": "1.20", "colour": "red"}
ORDER = Order(id=ID, when=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), lines=[LINE])
ORDER_JSON = {"id": str(ID), "when": "2030-01-02T03:04:05Z", "lines": [LINE_JSON]}

CASES: list[tuple[str, Any, Any, Any]] = [
    ("bool", bool, True, True),
    ("int", int, 5, 5),
    ("float", float, 2.5, 2.5),
    ("text", str, "ä", "ä"),
    ("none", str | None, None, None),
    ("list", list[int], [1, 2], [1, 2]),
    ("tuple", tuple[int, str], (1, "a"), [1, "a"]),
    ("set", set[int], {3}, [3]),
    ("frozenset", frozenset[str], frozenset({"a"}), ["a"]),
    ("dict", dict[str, int], {"a": 1}, {"a": 1}),
    ("dict by number", dict[int, str], {1: "a"}, {"1": "a"}),
    ("datetime", datetime, datetime(2030, 1, 2, 3, 4, 5, 6, UTC), "2030-01-02T03:04:05.000006Z"),
    ("naive datetime", datetime, datetime(2030, 1, 2, 3, 4, 5), "2030-01-02T03:04:05"),  # noqa: DTZ001
    ("date", date, date(2030, 1, 2), "2030-01-02"),
    ("time", time, time(3, 4, 5), "03:04:05"),
    ("timedelta", timedelta, timedelta(days=1, seconds=2.5), "P1DT2.5S"),
    ("uuid", uuid.UUID, ID, str(ID)),
    ("decimal", Decimal, Decimal("12.30"), "12.30"),
    ("bytes", bytes, b"\0\xff", "AP8="),
    ("enum", Colour, Colour.RED, "red"),
    ("literal", Literal["a", 1], "a", "a"),
    ("union", int | str | list[int], [1], [1]),
    ("union of structs", Circle | Square, Square(2.0, LINE), {"type": "square", "side": 2.0, "line": LINE_JSON}),
    ("dataclass", Address, Address("Quay", 3), {"street": "Quay", "number": 3}),
    ("attrs", Point, Point(1), {"x": 1, "y": 0.5}),
    ("typed dict", Options, {"deep": True, "models": [LINE]}, {"deep": True, "models": [LINE_JSON]}),
    ("named tuple", Pair, Pair(1, "b"), [1, "b"]),
    ("struct", Circle, Circle(1.5), {"type": "circle", "radius": 1.5}),
    ("model", Order, ORDER, ORDER_JSON),
    ("root model", Names, Names(["a"]), ["a"]),
    ("list of models", list[Order], [ORDER], [ORDER_JSON]),
    ("dict of models", dict[str, Line], {"a": LINE}, {"a": LINE_JSON}),
    ("model or nothing", Line | None, LINE, LINE_JSON),
    (
        "dataclass with models",
        Parcel,
        Parcel(ORDER, Address("Quay"), [LINE]),
        {"order": ORDER_JSON, "to": {"street": "Quay", "number": 1}, "more": [LINE_JSON]},
    ),
    ("secret", Secret[str], Secret("hunter2"), "hunter2"),
    ("secret model", Secret[Line], Secret(LINE), LINE_JSON),
    ("secret or nothing", Secret[str | None], Secret(None), None),
    ("bare secret", Secret, Secret([1]), [1]),
]


def typed(annotation: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose argument `value` and whose result have a type."""
    function.__annotations__ = {"value": annotation, "return": annotation}
    return function


def taking(annotation: Any) -> Callable[..., Any]:
    """A function whose argument has a type."""

    def job(value: Any) -> None: ...

    return typed(annotation, job)


@pytest.mark.parametrize(
    ("annotation", "value", "stored"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_handler_gets_what_the_caller_gave_and_the_caller_what_it_returned(
    annotation: Any, value: Any, stored: Any
) -> None:
    got: list[Any] = []

    async def job(value: Any) -> Any:
        got.append(value)
        return value.reveal() if isinstance(value, Secret) else value

    typed(annotation, job)

    async def play() -> None:
        async with Bench(job) as bench:
            payload = Signature(job).bind((value,), {})
            assert json.loads(payload) == {"value": stored}
            await bench.enqueue("job", payload)
            await bench.until_ended(1)
            outcome = bench.ended[0].outcome
            assert outcome.what is What.DONE
            assert got == [value]
            assert type(got[0]) is type(value)
            assert outcome.result is not None
            assert json.loads(outcome.result) == stored
            if not isinstance(value, Secret):
                read = result_decoder(job)(outcome.result)
                assert read == value
                assert type(read) is type(value)

    run_virtual(play())


@pytest.mark.parametrize(
    "annotation", [Circle | Point, Order | Line, Order | int, int | datetime | date, list[SecretStr]]
)
def test_what_json_cannot_tell_apart_is_refused_when_it_is_declared(annotation: Any) -> None:
    with pytest.raises(BadHandler, match="No JSON fits the parameter value"):
        Signature(taking(annotation))


def ship(order: Order, lines: list[Line] = [], **rest: Line) -> None: ...  # noqa: B006


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"order": {"id": "hunter2"}}, "The argument order of ship has the wrong type: input should be a valid UUID"),
        ({"order": {"id": "hunter2"}}, "at order.id."),
        (
            {"order": ORDER, "lines": [LINE, {"amount": "hunter2"}]},
            "The argument lines of ship has the wrong type: input should be a valid decimal at lines[1].amount.",
        ),
        ({"order": ORDER, "lines": [{}]}, "field required at lines[0].amount."),
        ({"order": ORDER, "other": {"amount": []}}, "(in 'other'.amount)"),
    ],
)
def test_a_model_that_does_not_fit_names_argument_and_field_but_not_the_value(arguments: Any, words: str) -> None:
    signature = Signature(ship)
    with pytest.raises(WrongArgumentType) as caught:
        signature.bind((), arguments)
    with pytest.raises(PayloadMismatch) as old:
        signature.decode(msgspec.json.encode(arguments, enc_hook=lambda each: each.model_dump(mode="json")).decode())
    for text in (str(caught.value), str(old.value)):
        assert words in text
        assert "hunter2" not in text


def test_a_model_whose_secret_would_not_come_back_is_refused() -> None:
    class Login(BaseModel):
        password: SecretStr

    with pytest.raises(NotSerialisable, match=r"The argument value of job: .* A field of the Login") as caught:
        Signature(taking(Login)).bind((Login(password=SecretStr("hunter2")),), {})
    assert "hunter2" not in str(caught.value)


def test_a_model_that_was_made_unchecked_is_refused_without_its_value() -> None:
    line = Line.model_construct(amount="hunter2")
    with pytest.raises(WrongArgumentType, match=r"input should be a valid decimal at value\.amount") as caught:
        Signature(taking(Line)).bind((line,), {})
    assert "hunter2" not in str(caught.value)
