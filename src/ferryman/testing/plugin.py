"""The pytest plugin: fixtures that give a test its queue. docs/testing.md shows how they are used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest

from ferryman.testing.kit import AsyncTestQueue, Testing, TestQueue


class App(Protocol):
    """A `Ferryman` app."""

    def testing(self) -> Testing:
        """See `Ferryman.testing`."""
        ...


@pytest.fixture
def ferryman_app() -> App:
    """The app under test. Define a fixture of this name in conftest.py that returns yours."""
    pytest.fail(
        "ferryman_queue needs a fixture ferryman_app that returns the app under test; define it in conftest.py:\n\n"
        "    @pytest.fixture\n"
        "    def ferryman_app():\n"
        "        return shop.jobs.app",
        pytrace=False,
    )


@pytest.fixture
def ferryman_queue(ferryman_app: App) -> Iterator[TestQueue]:
    """`with app.testing() as queue`, around the test."""
    with ferryman_app.testing() as queue:
        yield queue


@pytest.fixture
def ferryman_async_queue(ferryman_app: App) -> Iterator[AsyncTestQueue]:
    """`async with app.testing() as queue`, around a coroutine test, whatever plugin runs it."""
    testing = ferryman_app.testing()
    queue = testing.enter_async()
    try:
        yield queue
    finally:
        testing.leave()
