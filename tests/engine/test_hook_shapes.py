"""What can be a hook, and what is refused at its declaration."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from ferryman.domain.errors import BadHandler
from ferryman.engine.context import Context
from ferryman.engine.hooks import Hooks
from tests.engine.hooks import Next
from tests.engine.stopping import noop

pytestmark = pytest.mark.anyio


async def takes_two(ctx: Context, other: Any) -> None:
    pass


def plain_two(ctx: Context, other: Any) -> None:
    pass


def takes_none() -> None:
    pass


def generates() -> Any:
    yield


async def generates_later() -> Any:
    yield


class Callables:
    async def __call__(self, ctx: Context, call_next: Next) -> Any:
        return await call_next()

    async def method(self, ctx: Context, call_next: Next) -> Any:
        return await call_next()


def test_what_fits_is_taken_and_given_back_unchanged() -> None:
    hooks = Hooks()
    callables = Callables()
    assert hooks.on_startup(takes_none) is takes_none
    assert hooks.on_shutdown(noop) is noop
    assert hooks.on_failure(plain_two) is plain_two
    assert hooks.on_failure(takes_two) is takes_two
    for each in (takes_two, callables, callables.method, functools.partial(takes_two)):
        assert hooks.add_middleware(each) is each
    assert (len(hooks.startup), len(hooks.shutdown), len(hooks.middleware), len(hooks.failure)) == (1, 1, 4, 2)


@pytest.mark.parametrize(
    ("verb", "function", "told"),
    [
        ("on_startup", plain_two, "takes no parameters"),
        ("on_startup", lambda n=1: n, "takes no parameters"),
        ("on_startup", lambda *rest: rest, "takes no parameters"),
        ("on_startup", generates, "`yield`"),
        ("on_shutdown", generates_later, "`yield`"),
        ("on_shutdown", 7, "not int"),
        ("on_failure", takes_none, "2 parameters"),
        ("on_failure", lambda ctx, *, error: None, "2 parameters"),
        ("on_failure", type, "parameters are unknown"),
        ("add_middleware", plain_two, "no `async def`"),
        ("add_middleware", noop, "2 parameters"),
    ],
)
def test_what_does_not_fit_is_refused_at_the_declaration(verb: str, function: Any, told: str) -> None:
    hooks = Hooks()
    with pytest.raises(BadHandler, match=told) as caught:
        getattr(hooks, verb)(function)
    assert caught.value.hint
    assert not any((hooks.startup, hooks.shutdown, hooks.middleware, hooks.failure))
