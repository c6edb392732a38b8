"""The registry: one handler per type."""

from __future__ import annotations

import msgspec
import pytest

from ferryman.domain.errors import DuplicateType, MissingArgument
from ferryman.domain.retry import RetryPolicy
from ferryman.domain.secrets import Secret
from ferryman.engine.registry import Handler, Registry
from ferryman.engine.signature import Function, Signature
from ferryman.store.protocol import Declaration


def first(number: int) -> None: ...
def second() -> None: ...
def third(token: Secret[str]) -> None: ...


def handler(function: Function, type: str) -> Handler:
    return Handler(
        type=type,
        function=function,
        is_async=False,
        wants_context=False,
        signature=Signature(function),
        queue="default",
        priority=5,
        max_attempts=5,
        timeout="default",
        retry=RetryPolicy(),
    )


def test_a_handler_is_found_by_its_type() -> None:
    registry = Registry()
    one = handler(first, "one")
    registry.add(one)
    assert registry.get("one") is one
    assert registry.get("two") is None
    assert registry.types == {"one"}


def test_a_type_has_one_handler_and_the_error_names_both() -> None:
    registry = Registry()
    registry.add(handler(first, "one"))
    with pytest.raises(DuplicateType) as caught:
        registry.add(handler(second, "one"))
    assert "first" in caught.value.why
    assert "second" in caught.value.why
    found = registry.get("one")
    assert found is not None
    assert found.function is first


def test_a_handler_takes_the_place_of_another_one() -> None:
    registry = Registry()
    registry.add(handler(first, "one"))
    registry.replace(handler(second, "one"))
    found = registry.get("one")
    assert found is not None
    assert found.function is second
    assert registry.types == {"one"}


def test_what_its_types_declare_can_be_told_to_others() -> None:
    registry = Registry()
    registry.add(msgspec.structs.replace(handler(first, "one"), queue="mail", priority=2, max_attempts=1))
    registry.add(handler(third, "three"))
    assert registry.declarations == {
        "one": Declaration("mail", 2, 1, arguments=Signature(first).schema),
        "three": Declaration(secrets=frozenset({"token"}), arguments=Signature(third).schema),
    }


def test_a_handler_checks_payloads() -> None:
    handler(first, "one").check('{"number":1}')
    with pytest.raises(MissingArgument):
        handler(first, "one").check("{}")
