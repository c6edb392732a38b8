"""pytest explains failed assertions only in modules it was told of."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("ferryman.testing.conformance")
