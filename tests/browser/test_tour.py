"""The way from a failing job to its cause and its retry: what docs/tour.md says of it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.axe import grave
from tests.browser.tour import STEPS, Counted, Shop, counted, go, shop
from tests.browser.visits import Visits

DOCS = Path(__file__).parents[2] / "docs"
TOUR = (DOCS / "tour.md").read_text()
SAID = re.compile(r"\*\*(\d+) (clicks|keys)\*\*")
SHOWN = re.compile(r"screenshots/tour-(\w+)\.webp")


@pytest.fixture
def toured(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path) as shop_of_the_tour:
        yield shop_of_the_tour


@pytest.mark.parametrize("keyboard", [False, True])
def test_it_costs_what_the_tour_says(toured: Shop, visits: Visits, keyboard: bool) -> None:
    said = {what: int(number) for number, what in SAID.findall(TOUR)}
    cost = Counted(0, 0)
    for _, watched in go(visits, toured, keyboard=keyboard):
        assert grave(watched.page) == []
        cost = counted(watched)
    assert cost == (Counted(0, said["keys"]) if keyboard else Counted(said["clicks"], 0))


def test_the_tour_shows_a_picture_of_each_step() -> None:
    assert SHOWN.findall(TOUR) == [step.name for step in STEPS]
    for step in STEPS:
        assert (DOCS / "screenshots" / f"tour-{step.name}.webp").is_file()
