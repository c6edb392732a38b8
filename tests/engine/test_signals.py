"""What a handler raises to end its run its own way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ferryman.domain.errors import BadOption, FerrymanError
from ferryman.engine.signals import Cancel, Retry, Signal, Snooze


def test_delays_are_seconds_whatever_they_were_written_as() -> None:
    assert Snooze(timedelta(minutes=2)).delay == 120.0
    assert Retry(3).delay == 3.0
    assert Retry().delay is None


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf"), "5", None, True, 10**400])
def test_an_impossible_delay_is_refused_where_it_is_written(delay: Any) -> None:
    with pytest.raises(BadOption, match="delay"):
        Snooze(delay)
    if delay is not None:
        with pytest.raises(BadOption, match="delay"):
            Retry(delay)


def test_a_cancel_keeps_its_reason() -> None:
    assert Cancel("sold out").reason == "sold out"
    assert Cancel().reason == ""


@pytest.mark.parametrize("signal", [Retry(), Snooze(1), Cancel()])
def test_signals_are_exceptions_but_no_errors_of_ferryman(signal: Signal) -> None:
    assert isinstance(signal, Exception)
    assert not isinstance(signal, FerrymanError)
    assert str(signal)
