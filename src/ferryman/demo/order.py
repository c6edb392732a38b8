"""What the shop may have to do next, and who its customers are."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

import msgspec

from ferryman.calls import Call


class Order(msgspec.Struct, frozen=True):
    """One kind of thing that comes up."""

    weight: float
    """How often, beside the others."""
    call: Callable[[random.Random], Call[Any]]
    """Makes the next one of it."""


class Customer(msgspec.Struct, frozen=True):
    """Somebody who buys."""

    name: str
    mail: str
    shop: str
    """Whose customer it is: the shop serves several."""


CUSTOMERS: Final = (
    Customer("Ada Lovelace", "ada@engine.example", "harbour"),
    Customer("Grace Hopper", "grace@navy.example", "harbour"),
    Customer("Zoë Müller-Šimić", "zoë@müller.example", "harbour"),
    Customer("山田 花子", "hanako@sakura.example", "lantern"),
    Customer("Улугбек Мирзо", "ulugbek@star.example", "lantern"),
    Customer("ليلى حداد", "layla@cedar.example", "lantern"),
    Customer("Katherine Johnson", "katherine@orbit.example", "orbit"),
    Customer("Linus 🐧", "linus@kernel.example", "orbit"),
)
NOBODY: Final = Customer("Bobby Tables", "bobby.tables-at-school", "orbit")
"""His address is none: no mail can reach him."""


def customer(dice: random.Random) -> Customer:
    """One of them; now and then the one whom nobody can write to."""
    return NOBODY if dice.random() < 0.02 else dice.choice(CUSTOMERS)


def number(dice: random.Random) -> int:
    """Of an order."""
    return dice.randrange(100_000, 1_000_000)
