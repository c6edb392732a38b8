"""The queue `mail`: many short jobs, some of them urgent, and a mail server that is not always there."""

from __future__ import annotations

import random
from typing import Final, Literal

from ferryman import Context, Ferryman, Secret, Snooze
from ferryman.calls import Call
from ferryman.demo.order import CUSTOMERS, Order, customer, number
from ferryman.demo.surroundings import Surroundings

Template = Literal["welcome", "receipt", "shipped", "reset"]
SERVERS: Final = ("mx1.post.example", "mx2.post.example")


class BadAddress(ValueError):
    """Nobody can be reached there, today or tomorrow."""


class MailServerAway(Exception):
    """It may be back in a moment."""


def declare(app: Ferryman, around: Surroundings) -> list[Order]:
    """Declare the types of the queue; gives what comes up for it."""
    post = Post(around)

    @app.job_with_context(queue="mail", max_attempts=4, timeout=30, retry=[2, 10, 30], never=[BadAddress])
    async def send_mail(ctx: Context, to: str, subject: str, template: Template = "receipt") -> dict[str, object]:
        """Send one mail."""
        ctx.log.info("Writing to %s by the template %s.", to, template)
        server = await post.deliver(to, subject)
        ctx.log.info("%s has taken it.", server)
        return {"server": server, "message_id": f"<{ctx.job.id}@shop.example>", "bytes": 900 + 40 * len(subject)}

    @app.job(queue="mail", priority=0, max_attempts=2, timeout=10)
    async def send_login_code(to: str, code: Secret[str]) -> bool:
        """Somebody waits for it; nobody else is to see the code."""
        await post.deliver(to, f"{len(code.reveal())} digits")
        return True

    @app.job_with_context(queue="mail", priority=7, timeout=60)
    async def send_newsletter(ctx: Context, issue: int, shop: str) -> dict[str, int]:
        """Write to all customers of a shop; not while others want to send."""
        if around.happens(0.3):
            ctx.log.warning("The mail server is busy: later.")
            raise Snooze(20)
        readers = [each for each in CUSTOMERS if each.shop == shop]
        for done, reader in enumerate(readers, 1):
            await around.rest(0.4)
            ctx.enqueue(send_mail.call(reader.mail, f"News {issue}", template="welcome").options(tags=["newsletter"]))
            ctx.progress(done, len(readers), reader.name)
        return {"issue": issue, "readers": len(readers)}

    def next_mail(dice: random.Random) -> Call[dict[str, object]]:
        who = customer(dice)
        return send_mail.call(who.mail, f"{who.name}, order {number(dice)} is on its way", template="shipped")

    def next_reminder(dice: random.Random) -> Call[dict[str, object]]:
        return send_mail.call(customer(dice).mail, "What do you think of it?").later(dice.uniform(30, 900))

    def next_code(dice: random.Random) -> Call[bool]:
        return send_login_code.call(customer(dice).mail, Secret(f"{dice.randrange(10**6):06}"))

    def next_newsletter(dice: random.Random) -> Call[dict[str, int]]:
        return send_newsletter.call(dice.randrange(1, 500), customer(dice).shop).options(tags=["news"])

    return [Order(26, next_mail), Order(4, next_reminder), Order(6, next_code), Order(0.5, next_newsletter)]


class Post:
    """A way to mail servers, with all that lies between."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def deliver(self, to: str, subject: str) -> str:
        """Hand a mail over; gives the server that took it. Raises BadAddress, MailServerAway."""
        server = self._around.dice.choice(SERVERS)
        recipient = self._check(to)
        try:
            await self._talk(server, recipient, subject)
        except OSError as error:
            raise MailServerAway(f"{server} did not take the mail to {to}.") from error
        return server

    def _check(self, address: str) -> tuple[str, str]:
        local, at, host = address.partition("@")
        if not at:
            raise BadAddress(f"no host in the address {address!r}")
        return local, host

    async def _talk(self, server: str, recipient: tuple[str, str], subject: str) -> None:
        await self._greet(server)
        await self._around.rest(0.1 + len(subject) / 500)
        if recipient[1].startswith("kernel") and self._around.happens(0.2):
            raise TimeoutError(f"no answer to RCPT TO within {self._around.dice.randrange(900, 1100)} ms")

    async def _greet(self, server: str) -> None:
        await self._around.rest(0.05)
        if self._around.happens(0.04):
            raise ConnectionResetError(
                104, f"Connection reset by peer ({server}:{self._around.dice.choice((25, 587))})"
            )
