"""The queue `billing`: one charge of an account after the other, exact amounts, and a bank that may say no."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from ferryman import Context, Ferryman, Secret, Sequence
from ferryman.calls import Call
from ferryman.demo.order import Order, customer, number
from ferryman.demo.surroundings import Surroundings

Currency = Literal["EUR", "USD", "JPY", "BHD"]
CURRENCIES: Final[tuple[Currency, ...]] = ("EUR", "USD", "JPY", "BHD")
DECIMALS: Final = {"EUR": 2, "USD": 2, "JPY": 0}
"""Somebody has forgotten the dinar."""


class CardDeclined(Exception):
    """The bank says no, and will not say anything else tomorrow."""


class BankTimeout(Exception):
    """The bank says nothing."""


def declare(app: Ferryman, around: Surroundings) -> list[Order]:
    """Declare the types of the queue; gives what comes up for it."""
    bank = Bank(around)

    @app.job_with_context(
        queue="billing",
        priority=3,
        max_attempts=5,
        timeout=20,
        retry=[5, 20, 60],
        never=[CardDeclined, KeyError],
        sequence=Sequence("account", on_failure="pass"),
    )
    async def charge(
        ctx: Context, account: str, invoice: int, amount: Decimal, currency: Currency, card: Secret[str]
    ) -> dict[str, object]:
        """Charge a card: of one account never two at a time."""
        ctx.log.info("Charging %s %s for invoice %d.", amount, currency, invoice)
        units = bank.smallest_units(amount, currency)
        receipt = await bank.charge(account, units, card)
        return {"receipt": receipt, "amount": amount, "units": units, "bank_reference": 2**63 + invoice}

    @app.job(queue="billing", priority=6, timeout=60)
    async def refund(account: str, invoice: int, reason: str = "returned") -> dict[str, object]:
        """Give money back, where there was a charge."""
        await around.rest(0.5)
        if around.happens(0.15):
            raise RuntimeError(f"invoice {invoice} of {account} has no charge that could be refunded")
        return {"invoice": invoice, "reason": reason}

    @app.cron("15 2 * * *", tz="Europe/Berlin", payload={"currencies": ["EUR", "USD", "JPY"]}, tags=["nightly"])
    @app.job_with_context(queue="billing", priority=8, timeout=600)
    async def close_books(ctx: Context, currencies: list[str], day: date | None = None) -> dict[str, object]:
        """Add up a day."""
        books: dict[str, object] = {}
        for done, currency in enumerate(currencies, 1):
            await around.rest(1.5)
            books[currency] = {
                "turnover_units": 9_007_199_254_740_993 + around.dice.randrange(10**15),
                "fees": {"card": "1204.50", "transfer": "0.10", "by_bank": {"north": 0.1000, "south": 12.50}},
                "charges": around.dice.randrange(10**6),
            }
            ctx.progress(done, len(currencies), currency)
        return {"day": day, "closed": True, "books": books}

    def next_charge(dice: random.Random) -> Call[dict[str, object]]:
        invoice = number(dice)
        currency: Currency = dice.choices(CURRENCIES, (60, 30, 8, 2))[0]
        amount = Decimal(dice.randrange(100, 1_000_000)) / 100
        call = charge.call(_account(dice), invoice, amount, currency, Secret(f"4000-{dice.randrange(10**4):04}"))
        return call.options(unique_key=f"invoice-{invoice}", on_conflict="return", tags=["shop", customer(dice).shop])

    return [
        Order(12, next_charge),
        Order(2, lambda dice: refund.call(_account(dice), number(dice))),
        Order(0.2, lambda dice: close_books.call(["EUR", "JPY"], date(2026, 1, dice.randrange(1, 32)))),
    ]


class Bank:
    """Where cards are charged."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def smallest_units(self, amount: Decimal, currency: Currency) -> int:
        """An amount in cents, or whatever the smallest coin is. Raises KeyError: nobody knows it."""
        return int(amount.scaleb(DECIMALS[currency]))

    async def charge(self, account: str, units: int, card: Secret[str]) -> str:
        """Take money; gives the number of the receipt. Raises CardDeclined, BankTimeout."""
        await self._around.rest(0.4)
        self._judge(account, card)
        try:
            return await self._answer(units)
        except TimeoutError as error:
            raise BankTimeout(f"the bank did not confirm {units} units of {account}") from error

    def _judge(self, account: str, card: Secret[str]) -> None:
        if int(card.reveal()[-4:]) % 29 == 0:
            raise CardDeclined(f"account {account}: card declined, insufficient funds")

    async def _answer(self, units: int) -> str:
        await self._around.rest(0.1)
        if self._around.happens(0.05):
            raise TimeoutError("read timed out (read timeout=3.0)")
        return f"R{units:09}-{self._around.dice.randrange(16**6):06x}"


def _account(dice: random.Random) -> str:
    return f"acc-{dice.randrange(1, 40):04}"
