"""Which jobs an operation means."""

from __future__ import annotations

import pytest

from ferryman.domain.bulk import ALLOWED, BulkAction, meant
from ferryman.domain.errors import BadOption
from ferryman.domain.filters import JobFilter, parse
from ferryman.domain.state import Status


@pytest.mark.parametrize(
    ("action", "statuses"),
    [
        (BulkAction.RETRY, {"failed"}),
        (BulkAction.CANCEL, {"waiting", "scheduled", "pending", "processing"}),
        (BulkAction.DELETE, {"completed", "failed", "cancelled"}),
        (BulkAction.CHANGE, {"scheduled", "pending"}),
    ],
)
def test_a_filter_that_names_no_status_means_all_to_which_it_can_be_done(
    action: BulkAction, statuses: set[str]
) -> None:
    assert meant(action, parse("type:a", 0)) == JobFilter(
        terms=parse("type:a", 0).terms, statuses=frozenset(map(Status, statuses))
    )
    assert meant(action, parse("-status:failed", 0)).possible() == set(statuses) - {"failed"}


@pytest.mark.parametrize("action", BulkAction)
def test_one_that_names_a_status_means_that(action: BulkAction) -> None:
    for status in Status:
        named = parse(f"status:{status}", 0)
        if status in ALLOWED[action]:
            assert meant(action, named) == named
        else:
            with pytest.raises(BadOption, match=f"status cannot be '{status}'"):
                meant(action, named)
