"""A cluster of each version that is here; the tests of this folder share them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import pytest

from tests.postgres.binaries import Binaries, find_all
from tests.postgres.cluster import Cluster
from tests.postgres.databases import new_folder

VERSIONS: Final = find_all(os.environ)


@pytest.fixture(scope="session", params=VERSIONS, ids=lambda each: str(each.version))
def binaries(request: pytest.FixtureRequest) -> Binaries:
    found = request.param
    assert isinstance(found, Binaries)
    return found


@pytest.fixture
def any_binaries() -> Binaries:
    """Where the version does not matter."""
    return VERSIONS[0]


@pytest.fixture(scope="session")
def shared(binaries: Binaries) -> Iterator[Cluster]:
    with Cluster(new_folder(), binaries) as cluster:
        yield cluster


@pytest.fixture
def cluster(shared: Cluster) -> Cluster:
    """It runs, whatever the test before did to it."""
    shared.start()
    return shared
