"""An app, and the bank that its handlers pay at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ferryman import Ferryman
from tests.crashing.bank import Bank


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ferryman]:
    monkeypatch.chdir(tmp_path)
    with Ferryman(transaction_timeout=0.3) as app:
        yield app


@pytest.fixture
def bank() -> Bank:
    return Bank()
