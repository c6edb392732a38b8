"""Signatures: what may be enqueued for a handler, and what it is called with."""

from __future__ import annotations

import functools
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import msgspec
import pytest

from ferryman.domain.errors import (
    BadHandler,
    BadNumber,
    BadText,
    EnqueueError,
    MissingArgument,
    NotSerialisable,
    PayloadMismatch,
    TooDeep,
    UnknownArgument,
    WrongArgumentType,
)
from ferryman.engine.signature import Signature, result_decoder


async def send(to: str, *, subject: str = "hi", copies: int = 1) -> str: ...  # type: ignore[empty-body]


def echo(**rest: Any) -> dict[str, Any]:
    return rest


def shares(total: int, **each: int) -> None: ...


def anything(value, other=None):  # type: ignore[no-untyped-def]
    return value


class Colour(Enum):
    RED = "red"


@dataclass
class Address:
    street: str
    number: int = 1


class Picky(msgspec.Struct):
    value: int

    def __post_init__(self) -> None:
        raise KeyError("picky")


def rich(
    when: datetime, key: uuid.UUID, price: Decimal, raw: bytes, colour: Colour, where: Address, many: list[int]
) -> None: ...


def small(number: Annotated[int, msgspec.Meta(ge=0, le=9)]) -> None: ...


def picky(thing: Picky) -> None: ...


def nested(deep: dict[str, list[int]]) -> None: ...


# -- binding -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "kwargs", "payload"),
    [
        (("a",), {}, '{"to":"a"}'),
        ((), {"to": "a"}, '{"to":"a"}'),
        (("a",), {"copies": 2, "subject": "x"}, '{"to":"a","copies":2,"subject":"x"}'),
        (("ä€😀",), {}, '{"to":"ä€😀"}'),
    ],
)
def test_a_call_becomes_an_object_of_what_was_given(args: Any, kwargs: Any, payload: str) -> None:
    assert Signature(send).bind(args, kwargs) == payload


def test_defaults_are_left_to_the_handler() -> None:
    signature = Signature(send)
    assert signature.decode(signature.bind(("a",), {"copies": 3})) == {"to": "a", "copies": 3}


def test_other_keywords_go_to_the_double_star() -> None:
    signature = Signature(echo)
    payload = signature.bind((), {"a": 1, "b": [None, {"c": 2.5}]})
    assert signature.decode(payload) == {"a": 1, "b": [None, {"c": 2.5}]}
    assert Signature(shares).decode('{"total":1,"ann":2}') == {"ann": 2, "total": 1}


def test_the_double_star_has_a_type_too() -> None:
    with pytest.raises(WrongArgumentType, match=r"Expected `int`, got `str`.*'bob'"):
        Signature(shares).bind((1,), {"ann": 2, "bob": "x"})


def test_rich_types_go_over_json_and_come_back() -> None:
    signature = Signature(rich)
    given = {
        "when": datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
        "key": uuid.UUID(int=7),
        "price": Decimal("12.30"),
        "raw": b"\0\xff",
        "colour": Colour.RED,
        "where": Address("Quay", 3),
        "many": [1, 2],
    }
    assert signature.decode(signature.bind((), given)) == given


def test_parameters_without_annotation_take_any_json() -> None:
    signature = Signature(anything)
    assert signature.decode(signature.bind(({"a": [1, None]},), {"other": "x"})) == {
        "value": {"a": [1, None]},
        "other": "x",
    }


def test_object_means_any_json() -> None:
    def take(value: object, more: list[object]) -> None: ...

    signature = Signature(_evaluated(take, value=object, more=list[object]))
    assert signature.decode(signature.bind((1, ["a", None]), {})) == {"value": 1, "more": ["a", None]}


def test_the_context_is_no_argument() -> None:
    def handle(ctx: Any, count: int) -> None: ...

    def positional(ctx: Any, /, count: int) -> None: ...

    assert Signature(handle, wants_context=True).bind((2,), {}) == '{"count":2}'
    assert Signature(positional, wants_context=True).bind((2,), {}) == '{"count":2}'


def test_a_method_of_an_object_is_a_handler_without_self() -> None:
    class Mailer:
        def send(self, to: str) -> None: ...

    assert Signature(Mailer().send).bind(("a",), {}) == '{"to":"a"}'


def test_a_wrapped_function_has_the_parameters_of_the_inner_one() -> None:
    @functools.wraps(send)
    async def wrapper(*args: Any, **kwargs: Any) -> Any: ...

    with pytest.raises(UnknownArgument):
        Signature(wrapper).bind(("a",), {"nonsense": 1})


def test_a_wrapper_that_collects_what_a_generator_yields_is_a_handler() -> None:
    @functools.wraps(generator)
    def collected() -> list[int]:
        return list(generator())

    assert Signature(collected).bind((), {}) == "{}"


def loop() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "error", "words"),
    [
        (send, (), {}, MissingArgument, "send needs its argument to. It takes: to, subject, copies."),
        (send, (1,), {}, WrongArgumentType, "The argument to of send has the wrong type: expected `str`, got `int`."),
        (send, ("a",), {"copies": True}, WrongArgumentType, "argument copies of send"),
        (send, ("a",), {"sbject": "x"}, UnknownArgument, "send has no argument 'sbject'. Did you mean subject?"),
        (send, ("a", "b"), {}, UnknownArgument, "at most 1 arguments by position, 2 were given"),
        (send, ("a",), {"to": "b"}, UnknownArgument, "got its argument to twice"),
        (send, (object(),), {}, NotSerialisable, "The argument to of send"),
        (send, ("a",), {"copies": 2**64}, BadNumber, "The argument copies of send"),
        (send, ("a\0",), {}, BadText, "The argument to of send"),
        (send, ("\ud800",), {}, BadText, "The argument to of send"),
        (send, ("a",), {"\ud800": 1}, BadText, "surrogate"),
        (anything, (float("nan"),), {}, BadNumber, "The argument value of anything"),
        (anything, (1,), {"other": [float("inf")]}, BadNumber, "The argument other of anything: A number at /0"),
        (anything, (loop(),), {}, TooDeep, "The argument value of anything"),
        (anything, (deep(65),), {}, TooDeep, "The argument value of anything"),
        (anything, (deep(64),), {}, TooDeep, "nested deeper than 64"),
        (anything, ({(1, 2): 3},), {}, NotSerialisable, "The argument value of anything"),
        (small, (10,), {}, WrongArgumentType, "The argument number of small has the wrong type: expected `int` <= 9"),
        (nested, ({"a": [1, "x"]},), {}, WrongArgumentType, "expected `int`, got `str` at deep[...][1]."),
    ],
)
def test_arguments_that_do_not_fit_are_named(
    function: Callable[..., Any], args: Any, kwargs: Any, error: type[EnqueueError], words: str
) -> None:
    with pytest.raises(error) as caught:
        Signature(function).bind(args, kwargs)
    assert words in str(caught.value)
    assert type(caught.value) is error


# -- decoding ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ('{"to":1}', "The argument to of send has the wrong type"),
        ("{}", "send needs its argument to"),
        ('{"to":"a","cc":"b"}', "send has no argument 'cc'"),
        ("[]", "not a JSON object"),
        ("{", "not a JSON object"),
        ("\ud800", "not a JSON object"),
    ],
)
def test_an_old_payload_that_does_not_fit_any_more_says_why(payload: str, why: str) -> None:
    with pytest.raises(PayloadMismatch) as caught:
        Signature(send).decode(payload)
    assert why in caught.value.why
    with pytest.raises(EnqueueError) as refused:
        Signature(send).check(payload)
    assert why in refused.value.what


def test_a_type_that_raises_while_it_is_decoded_is_a_mismatch() -> None:
    with pytest.raises(PayloadMismatch, match="picky"):
        Signature(picky).decode('{"thing":{"value":1}}')
    with pytest.raises(WrongArgumentType, match="picky"):
        Signature(picky).check('{"thing":{"value":1}}')


def test_a_payload_that_fits_passes_the_check() -> None:
    Signature(send).check('{"to":"a"}')


# -- what can be no handler --------------------------------------------------------------------------


def stars(*args: int) -> None: ...
def by_position(a: int, /) -> None: ...
def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


def foreign(thing: functools.partial[int]) -> None: ...
def mixed(thing: int | functools.partial[int]) -> None: ...
def inside(things: dict[str, list[functools.partial[int]]]) -> None: ...
def unknown_name(thing: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
def contextual(ctx: Context) -> None: ...
def no_parameters() -> None: ...
def keyword_only(*, ctx: int) -> None: ...


class Context: ...


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (stars, "stars has *args"),
        (by_position, "positional-only parameter a"),
        (generator, "Return it instead of yielding it"),
        (async_generator, "Return it instead of yielding it"),
        (lambda: 1, "Write it as def"),
        (Colour, "The class Colour"),
        (5, "of type int"),
        (print, "builtin_function"),
        (functools.partial(send, "a"), "of type partial"),
        (staticmethod(send), "of type staticmethod"),
        (foreign, "No JSON fits the parameter thing"),
        (mixed, "No JSON fits the parameter thing"),
        (inside, "No JSON fits the parameter things"),
        (unknown_name, "name 'Nowhere' is not defined"),
        (contextual, "@app.job_with_context"),
    ],
)
def test_a_function_that_can_be_no_handler_is_refused(function: Any, words: str) -> None:
    with pytest.raises(BadHandler) as caught:
        Signature(function)
    assert words in str(caught.value)


@pytest.mark.parametrize("function", [no_parameters, keyword_only, echo])
def test_a_handler_with_context_needs_a_first_parameter(function: Callable[..., Any]) -> None:
    with pytest.raises(BadHandler, match="no first parameter for its Context"):
        Signature(function, wants_context=True)


# -- results -----------------------------------------------------------------------------------------


def test_results_are_read_as_the_annotation_says() -> None:
    def when() -> datetime: ...  # type: ignore[empty-body]

    def where() -> list[Address]: ...  # type: ignore[empty-body]

    assert result_decoder(_evaluated(when, **{"return": datetime}))('"2026-01-02T00:00:00Z"') == datetime(
        2026, 1, 2, tzinfo=UTC
    )
    assert result_decoder(_evaluated(where, **{"return": list[Address]}))('[{"street":"Quay"}]') == [Address("Quay")]


@pytest.mark.parametrize("annotation", [Any, functools.partial, int])
def test_results_that_the_annotation_does_not_fit_are_plain_json(annotation: Any) -> None:
    def give() -> Any: ...

    assert result_decoder(_evaluated(give, **{"return": annotation}))('{"a":1}') == {"a": 1}


def test_results_without_annotation_are_plain_json() -> None:
    assert result_decoder(anything)("[1,null]") == [1, None]


def _evaluated(function: Callable[..., Any], **annotations: Any) -> Callable[..., Any]:
    """A local function with annotations that need no evaluation."""
    function.__annotations__ = annotations
    return function
