"""What every test may use."""

from __future__ import annotations

import pytest

# pytest explains failed assertions only in modules that it was told of before they are imported
pytest.register_assert_rewrite("ferryman.testing.conformance")


@pytest.fixture
def anyio_backend() -> str:
    """Coroutine tests run on asyncio, as Ferryman does."""
    return "asyncio"
