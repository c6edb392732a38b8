"""A PostgreSQL database for a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres.databases import Databases


@pytest.fixture
def url(postgres: Databases) -> Iterator[str]:
    """The one of a database with our tables."""
    url = postgres.fresh()
    yield url
    postgres.drop(url)
