"""The shop: the app with all its types, and what may come up in it."""

from __future__ import annotations

from ferryman import Ferryman
from ferryman.demo import billing, images, mail, reports, webhooks
from ferryman.demo.order import Order
from ferryman.demo.surroundings import Surroundings


class Shop:
    """Each one is an app of its own."""

    def __init__(self, around: Surroundings) -> None:
        self.app = Ferryman()
        self.around = around
        declared = [each.declare(self.app, around) for each in (mail, billing, images, reports, webhooks)]
        self.orders: list[Order] = [order for orders in declared for order in orders]
        """What may come up."""
