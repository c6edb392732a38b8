"""What jobs say of themselves in tests: their progress, and what they log."""

from __future__ import annotations

import logging

import pytest

from ferryman import Context, Ferryman, Secret
from ferryman.domain.report import Progress

shop = logging.getLogger("shop")


@pytest.fixture
def app() -> Ferryman:
    return Ferryman("memory://")


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


def test_a_test_sees_how_far_a_job_was_and_what_it_logged(app: Ferryman) -> None:
    @app.job_with_context
    def send(ctx: Context, to: str) -> None:
        ctx.progress(1, 2)
        shop.info("to %s", to)
        ctx.log.warning("slow")
        ctx.progress(2, 2, "sent")

    with app.testing() as queue:
        send.enqueue("a")
        handle = send.enqueue("b")
        shop.info("not of a job")
        assert queue.progress(handle.id) is None
        queue.run_all()
        first, second = queue.jobs()
        said = queue.progress(second)
        assert isinstance(said, Progress)
        assert (said.done, said.total, said.message, said.fraction) == (2, 2, "sent", 1.0)
        assert [(each.level, each.message) for each in queue.logs(first)] == [("info", "to a"), ("warning", "slow")]
        assert [each.message for each in queue.logs(handle.id)] == ["to b", "slow"]


@pytest.mark.anyio
async def test_so_it_is_for_coroutines_for_threads_and_for_attempts_that_fail(app: Ferryman) -> None:
    @app.job_with_context(max_attempts=1)
    async def fails(ctx: Context, token: Secret[str]) -> None:
        ctx.progress(1, message=f"with {token.reveal()}")
        shop.info("with %s", token.reveal())
        raise ValueError("no")

    @app.job
    def threaded() -> None:
        shop.info("from a thread")

    async with app.testing(raise_errors=False) as queue:
        await fails.aenqueue(Secret("hunter22"))
        await threaded.aenqueue()
        await queue.run_all()
        one, two = queue.jobs()
        said = queue.progress(one)
        assert said is not None
        assert said.message == "with ***"
        assert [each.message for each in queue.logs(one)] == ["with ***"]
        assert [each.message for each in queue.logs(two)] == ["from a thread"]
