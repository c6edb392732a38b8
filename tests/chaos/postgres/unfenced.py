"""The classic fault of a job queue, put into the PostgreSQL store: see `tests.chaos.unfenced`."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from unittest import mock

from ferryman.domain.outcome import Finish, What
from ferryman.store.postgres import finishing
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.steps import Ask, Steps

OVERWRITE = "overwrite"
STATEMENT = """
UPDATE ferryman.outcome SET what = 'done', status = 'completed', token = $3::bigint, worker = $4::integer
WHERE id = $1::uuid AND number = $2::integer
"""


@contextmanager
def broken_fence() -> Generator[None]:
    """Within this, a `done` that the fence stops overwrites the outcome that stopped it."""
    sorted_out, text = finishing.sorted_out, Statements.__getitem__

    def sort(finishes: Sequence[Finish], live: set[int]) -> Steps[finishing.Written]:
        written = yield from sorted_out(finishes, live)
        stale = [each for each in finishes if each.what is What.DONE and (each.id, each.number) in written.fenced]
        for each in stale:
            yield Ask(OVERWRITE, (each.id, each.number, each.token, each.worker))
        return written._replace(fenced=written.fenced - {(each.id, each.number) for each in stale})

    def statement(statements: Statements, name: str) -> str:
        return STATEMENT if name == OVERWRITE else text(statements, name)

    with mock.patch.object(finishing, "sorted_out", sort), mock.patch.object(Statements, "__getitem__", statement):
        yield
