"""The queue `reports`: slow jobs with many steps and large results; one of them was written in a hurry."""

from __future__ import annotations

import random
from typing import Any, Literal

from ferryman import Context, Ferryman
from ferryman.calls import Call
from ferryman.demo.order import CUSTOMERS, Order, customer
from ferryman.demo.surroundings import Surroundings

Row = dict[str, Any]


def declare(app: Ferryman, around: Surroundings) -> list[Order]:
    """Declare the types of the queue; gives what comes up for it."""

    @app.job_with_context(queue="reports", max_attempts=2, timeout=60, retry=5)
    async def monthly_report(ctx: Context, shop: str, month: str) -> dict[str, object]:
        """Gather what a shop has sold in a month."""
        days: list[Row] = []
        for day in range(1, 29):
            await around.rest(0.05)
            days.append(_day(around.dice, day))
            ctx.progress(day, 28, f"{month}-{day:02}")
        ctx.log.info("%s sold %d things in %s.", shop, sum(row["orders"] for row in days), month)
        return {"shop": shop, "month": month, "total": _add_up(days), "days": days}

    @app.job(queue="reports", max_attempts=2, timeout=2, retry=10)
    async def export_orders(shop: str, format: Literal["csv", "xlsx"] = "csv") -> str:
        """Write all orders of a shop into a file; the spreadsheet takes longer than it may."""
        await around.rest(0.4 if format == "csv" else 1.8)
        return f"/srv/exports/{shop}.{format}"

    @app.cron("* * * * *", tags=["every-minute"])
    @app.job(queue="reports", priority=2, timeout=30)
    async def count_carts() -> dict[str, int]:
        """Count who is about to buy."""
        await around.rest(0.2)
        return {each.shop: around.dice.randrange(400) for each in CUSTOMERS}

    @app.cron("*/5 * * * *", overlap="skip", payload={"warehouse": "north"}, tags=["stock"])
    @app.job_with_context(queue="reports", timeout=120)
    async def sync_stock(ctx: Context, warehouse: str) -> dict[str, object]:
        """Ask a warehouse what it has."""
        for shelf in range(1, 21):
            await around.rest(1)
            ctx.progress(shelf, 20, f"shelf {shelf}")
        if around.happens(0.3):
            raise ValueError(f"warehouse {warehouse}: shelf {around.dice.randrange(1, 21)} counts -1 boxes")
        return {"warehouse": warehouse, "boxes": around.dice.randrange(10**9)}

    def next_report(dice: random.Random) -> Call[dict[str, object]]:
        return monthly_report.call(customer(dice).shop, f"2025-{dice.randrange(1, 13):02}").options(tags=["monthly"])

    return [
        Order(2, next_report),
        Order(0.1, lambda _: count_carts.call()),
        Order(0.1, lambda dice: sync_stock.call(dice.choice(("north", "south")))),
        Order(1, lambda dice: export_orders.call(customer(dice).shop, dice.choice(("csv", "csv", "csv", "xlsx")))),
    ]


def _day(dice: random.Random, day: int) -> Row:
    orders = dice.randrange(1_000)
    row: Row = {"day": day, "orders": orders, "turnover": {"cents": orders * 1_234_567_890_123, "currency": "EUR"}}
    if dice.random() < 0.002:
        row["turnover"] = None  # the shop was closed
    return row


def _add_up(days: list[Row]) -> Row:
    """Fails where a shop was closed for a day."""
    return {"orders": sum(row["orders"] for row in days), "cents": sum(_cents(row) for row in days)}


def _cents(row: Row) -> int:
    cents: int = row["turnover"]["cents"]
    return cents
