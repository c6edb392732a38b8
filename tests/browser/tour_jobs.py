"""The shop of the tour: its letters fail as long as there is no letterhead. See `tour`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ferryman import Ferryman

LETTERHEAD: Final = Path(__file__).with_name("letterhead.txt")

app = Ferryman()


@app.job(queue="mail", max_attempts=1)
async def send_invoice(order: int, customer: str) -> str:
    """Write to a customer."""
    return f"{letterhead()}: {customer} pays order {order}."


@app.job(queue="labels")
async def print_label(order: int) -> str:
    """Say where a parcel goes to."""
    return f"Parcel of order {order}"


def letterhead() -> str:
    """What stands above each letter."""
    return LETTERHEAD.read_text()
