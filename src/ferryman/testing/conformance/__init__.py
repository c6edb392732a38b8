"""The store conformance suite: what every verb of `ferryman.store.protocol.Store` means, as tests.

A store of your own passes it like this, with pytest, hypothesis and anyio's pytest plugin installed:

    # conftest.py: pytest explains failed assertions only in modules it was told of
    pytest.register_assert_rewrite("ferryman.testing.conformance")

    # test_my_store.py
    class TestMyStore(StoreConformance):
        @pytest.fixture
        def make_harness(self) -> Callable[[], Harness]:
            return MyHarness
"""

from __future__ import annotations

from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.harness import LEASE, RETENTION, Harness
from ferryman.testing.conformance.suite import StoreConformance

__all__ = ["LEASE", "RETENTION", "Bench", "Harness", "StoreConformance"]
