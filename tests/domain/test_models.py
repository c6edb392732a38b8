"""Models of pydantic go to JSON values and come back the same, or are refused."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, computed_field, field_serializer, field_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass

from ferryman.domain import models
from ferryman.domain.models import ModelMismatch


class Line(BaseModel):
    amount: int
    unit: Literal["kg", "l"] = "kg"


class Order(BaseModel):
    id: uuid.UUID
    lines: list[Line] = []


class Aliased(BaseModel):
    item_count: int = Field(alias="itemCount")


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    when: datetime
    pair: tuple[int, set[str]]
    by_number: dict[int, str] = {}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def year(self) -> int:
        return self.when.year


class Hidden(BaseModel):
    password: SecretStr | str


class Revealed(BaseModel):
    password: SecretStr

    @field_serializer("password", when_used="json")
    def plain(self, password: SecretStr) -> str:
        return password.get_secret_value()


class Picky(BaseModel):
    value: int

    @field_validator("value")
    @classmethod
    def check(cls, value: int) -> int:
        if value == 13:
            raise KeyError("a fault of its own")
        if value < 0:
            raise ValueError("must not be negative")
        return value


class Broken(BaseModel):
    value: int = 1

    @field_serializer("value")
    def fail(self, value: int) -> int:
        raise KeyError("no")


@pydantic_dataclass
class Plain:
    n: int


@pytest.mark.parametrize(
    "model",
    [
        Order(id=uuid.UUID(int=7), lines=[Line(amount=1), Line(amount=2, unit="l")]),
        Aliased(itemCount=3),
        Strict(when=datetime(2030, 1, 2, 3, 4, 5), pair=(1, {"a"}), by_number={1: "a"}),  # noqa: DTZ001
        Hidden(password="**********"),
        Revealed(password=SecretStr("**********")),
        Revealed(password=SecretStr("hunter2")),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_model_comes_back_the_same(model: Any) -> None:
    back = models.load(type(model), models.dump(model))
    assert back == model
    assert type(back) is type(model)


def test_a_model_is_written_as_its_aliases_say() -> None:
    assert models.dump(Aliased(itemCount=3)) == {"itemCount": 3}


@pytest.mark.parametrize("kind", [Order, Strict])
def test_models_are_known_by_what_they_can_do(kind: object) -> None:
    assert models.is_model(kind)


@pytest.mark.parametrize("kind", [int, Plain, None, Line(amount=1), list[Order], "Order"])
def test_nothing_else_is_taken_for_a_model(kind: object) -> None:
    assert not models.is_model(kind)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Hidden(password=SecretStr("hunter2")), r"A field of the Hidden is dumped as \*+, which would not come back"),
        (Broken(), "The Broken cannot be dumped: .*no"),
    ],
)
def test_a_model_that_would_not_come_back_is_not_written(model: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words) as caught:
        models.dump(model)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "values", "what", "place"),
    [
        (Order, {"id": str(uuid.UUID(int=7)), "lines": [{"amount": "hunter2"}]}, "valid integer", ".lines[0].amount"),
        (Order, {}, "Field required", ".id"),
        (Line, {"amount": 1, "unit": "hunter2"}, "Input should be 'kg' or 'l'", ".unit"),
        (Order, [], "valid dictionary|should be an object", ""),
        (Picky, {"value": -5}, "must not be negative", ".value"),
        (Picky, {"value": 13}, "^Does not fit Picky$", ""),
    ],
)
def test_what_does_not_fit_says_what_and_where_but_not_the_value(kind: Any, values: Any, what: str, place: str) -> None:
    with pytest.raises(ModelMismatch, match=what) as caught:
        models.load(kind, values)
    assert caught.value.place == place
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None, "nothing that is printed with it shows the value"


def test_a_schema_says_what_a_model_is_made_of_by_alias_and_refers_as_it_is_told() -> None:
    schema = models.schema(Order, "#/$defs/shop.{model}")
    assert schema["properties"]["lines"]["items"] == {"$ref": "#/$defs/shop.Line"}
    assert schema["$defs"]["Line"]["required"] == ["amount"]
    assert list(models.schema(Aliased, "{model}")["properties"]) == ["itemCount"]
