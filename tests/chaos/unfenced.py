"""The classic fault of a job queue, put in on purpose: a completion is accepted whatever has become of its claim.

A worker that slept through its own rescue completes a job that another one runs, or has completed. The
checker has to find that; a campaign that does not is worth nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from unittest import mock

from ferryman.domain.outcome import Finish, What
from ferryman.store.sqlite import finishing
from ferryman.store.sqlite.session import Session

OVERWRITE = """
UPDATE outcome SET what = 'done', status = 'completed', token = :token, node = :node, worker = :worker
WHERE id = :id AND number = :number
"""


@contextmanager
def broken_fence() -> Generator[None]:
    """Within this, a `done` that the fence stops overwrites the outcome that stopped it."""
    fenced_write = finishing._write_outcomes

    def write(session: Session, node: int, finishes: Sequence[Finish]) -> finishing.Written:
        written = fenced_write(session, node, finishes)
        stale = [each for each in finishes if each.what is What.DONE and (each.id, each.number) in written.fenced]
        for each in stale:
            parameters = {"node": node, "id": each.id, "number": each.number}
            session.connection.execute(OVERWRITE, parameters | {"token": each.token, "worker": each.worker})
        return written._replace(fenced=written.fenced - {(each.id, each.number) for each in stale})

    with mock.patch.object(finishing, "_write_outcomes", write):
        yield
