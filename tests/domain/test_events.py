from __future__ import annotations

from ferryman.domain.events import Enqueued, Event, Events, JobsRescued


def test_everybody_hears_everything_in_the_order_in_which_they_came() -> None:
    heard: list[tuple[str, Event]] = []
    events = Events(lambda event: heard.append(("first", event)))
    events.listen(lambda event: heard.append(("second", event)))
    one, two = Enqueued("echo", "default", 1), JobsRescued("node", 2)
    events.emit(one)
    events.emit(two)
    assert heard == [("first", one), ("second", one), ("first", two), ("second", two)]


def test_an_event_that_nobody_hears_is_no_error() -> None:
    Events().emit(JobsRescued("node", 1))
