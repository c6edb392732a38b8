"""Steps on a thread: in order, one of them when it is due, and a last one."""

from __future__ import annotations

import threading
from queue import SimpleQueue

from ferryman.engine.steps import ThreadSteps

PATIENCE = 60.0


def never() -> float | None:
    return None


def nothing() -> None:
    raise AssertionError("nothing is due")


def test_steps_run_in_order_on_one_thread_of_their_own_and_the_last_one_ends_it() -> None:
    done: SimpleQueue[tuple[str, threading.Thread]] = SimpleQueue()
    steps = ThreadSteps(never, nothing, "steps-of-a-test")
    for name in ("first", "second"):
        steps.put(lambda name=name: done.put((name, threading.current_thread())))  # type: ignore[misc]
    steps.end(lambda: done.put(("last", threading.current_thread())))
    found = [done.get(timeout=PATIENCE) for _ in range(3)]
    assert [name for name, _ in found] == ["first", "second", "last"]
    (thread,) = {thread for _, thread in found}
    assert thread.name == "steps-of-a-test"
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_where_nothing_was_put_no_thread_begins_and_no_last_step_runs() -> None:
    steps = ThreadSteps(never, nothing, "steps-that-never-were")
    steps.end(nothing)
    assert "steps-that-never-were" not in [thread.name for thread in threading.enumerate()]


def test_what_is_due_runs_by_itself_after_the_time_that_is_left() -> None:
    left: list[float | None] = [None]
    came = threading.Event()

    def due() -> None:
        left[0] = None
        came.set()

    steps = ThreadSteps(lambda: left[0], due, "steps-with-a-time")
    steps.put(lambda: left.__setitem__(0, 0.0))
    assert came.wait(PATIENCE)
    steps.end(lambda: None)
