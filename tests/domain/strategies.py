"""Jobs and outcomes as the domain may meet them."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from ferryman.domain.job import ClaimedJob, JobError, Lane
from ferryman.domain.outcome import INTERRUPTIONS_MAX, Outcome, Run, What

ENDS: Final = [what for what in What if what is not What.RETRIED]
"""How a run may end; a person's retry is no end of a run."""
errors: Final = st.none() | st.builds(JobError, st.just("FM501"), st.text(), st.text())
runs: Final = st.builds(Run, st.integers(0, 2**63 - 1), st.none() | st.integers(1, 100), st.none() | st.integers(0))


def new_run(max_attempts: int = 5) -> ClaimedJob:
    """The first run of a job."""
    lane = Lane("queue", "type", 5)
    return ClaimedJob("id", 1, 1, 0, 0, 7, lane, "{}", max_attempts, None, 0, None, None, None, ())


@st.composite
def claimed_jobs(draw: st.DrawFn, max_attempts: int | None = None) -> ClaimedJob:
    """A job whose attempts are not spent yet."""
    most = draw(st.integers(1, 6)) if max_attempts is None else max_attempts
    return ClaimedJob(
        id="id",
        number=draw(st.integers(1, 1000)),
        attempt=draw(st.integers(1, most)),
        crashes=draw(st.integers(0, 5)),
        interruptions=draw(st.integers(0, INTERRUPTIONS_MAX + 2)),
        batch=draw(st.integers(1, 2**63 - 1)),
        lane=Lane("queue", "type", draw(st.integers(0, 9))),
        payload="{}",
        max_attempts=most,
        timeout=None,
        created_at=0,
        run_at=None,
        expires_at=None,
        unique_key=draw(st.none() | st.just("key")),
        tags=(),
    )


@st.composite
def outcomes(draw: st.DrawFn, what: st.SearchStrategy[What] | None = None) -> Outcome:
    """Any end of a run."""
    return Outcome(
        what=draw(st.sampled_from(ENDS) if what is None else what),
        result=draw(st.none() | st.just("1")),
        error=draw(errors),
        delay=draw(st.none() | st.floats(0, 1e6)),
        retryable=draw(st.booleans()),
    )
