"""An enqueue that is not awaited speaks up; one that is says nothing."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from ferryman import Ferryman, Handle

pytestmark = pytest.mark.anyio


@pytest.fixture
def app() -> Iterator[Ferryman]:
    with Ferryman("memory://") as app:
        yield app


@pytest.fixture
def greet(app: Ferryman) -> Any:
    @app.job
    def greet(name: str) -> None: ...

    return greet


async def test_a_forgotten_await_is_a_warning_with_a_code(greet: Any) -> None:
    def forget() -> None:
        greet.aenqueue("Ada")
        greet.call("Ada").later(1).aenqueue()
        gc.collect()

    with pytest.warns(RuntimeWarning, match=r"^FM318: aenqueue\(\) of greet was never awaited: nothing") as caught:
        forget()
    assert len(caught) == 2, "Python's own warning does not come on top"


async def test_whatever_awaits_it_enqueues_without_a_word(greet: Any, recwarn: pytest.WarningsRecorder) -> None:
    handles = [
        await greet.aenqueue("Ada"),
        await asyncio.create_task(greet.aenqueue("Ada")),
        *await asyncio.gather(greet.aenqueue("Ada"), greet.aenqueue("Ada")),
        await asyncio.wait_for(greet.aenqueue("Ada"), 60),
    ]
    gc.collect()
    assert len({handle.id for handle in handles}) == 5
    assert all(isinstance(handle, Handle) for handle in handles)
    assert not recwarn


async def test_one_that_is_closed_on_purpose_says_nothing(greet: Any, recwarn: pytest.WarningsRecorder) -> None:
    greet.aenqueue("Ada").close()
    gc.collect()
    assert not recwarn


async def test_a_task_that_is_cancelled_before_it_began_says_nothing(
    greet: Any, recwarn: pytest.WarningsRecorder
) -> None:
    task = asyncio.create_task(greet.aenqueue("Ada"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    gc.collect()
    assert not recwarn
