"""Whether the API may be open to everybody: to this machine it may, to others only where somebody says so.

A page of another site runs on this machine, too, in its browser. It can have a name of its own point at 127.0.0.1 (DNS
rebinding), and then reads what it likes as if it were a page of this very address. What it cannot do is to send another
Host than that name: so where this machine alone is let in, it has to be named by what nobody can make point elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Final

from ferryman.domain.errors import OpenToAll
from ferryman.http.keyring import Keyring

_NOBODYS: Final = re.compile(
    rb"(?:(?:[^:]*\.)?localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d*)?", re.IGNORECASE
)
"""Hosts that no DNS server answers for: localhost and what is below it (RFC 6761), addresses."""


class Open(Enum):
    """To whom the API is open while there is no API key."""

    NOBODY = "nobody"
    HERE = "here"
    """Whoever is on this machine, unless it is a page of a site that made a name for it."""
    EVERYBODY = "everybody"


def is_nobodys(host: bytes) -> bool:
    """Whether a Host header is none that somebody could have made point at this machine."""
    return _NOBODYS.fullmatch(host) is not None


class Openness:
    """What the address of a server means for who may use it."""

    def __init__(
        self, keyring: Keyring, is_local: Callable[[], bool | None], *, host: str, is_allowed_anywhere: bool
    ) -> None:
        """Nothing is looked at yet.

        Args:
            keyring: the API keys.
            is_local: whether only this machine can reach the API, None where that is not ours to say; asked once the
                address is bound.
            host: the address as the settings have it.
            is_allowed_anywhere: whether ALLOW_OPEN was said.
        """
        self._keyring = keyring
        self._is_local = is_local
        self._host = host
        self._is_allowed_anywhere = is_allowed_anywhere

    def to(self) -> Open:
        """Who may pass while there is no API key; known once the server is bound."""
        is_local = self._is_local()
        if self._is_allowed_anywhere or is_local is None:
            return Open.EVERYBODY
        return Open.HERE if is_local else Open.NOBODY

    async def check(self) -> None:
        """Before other machines are answered: see that somebody is kept out.

        Raises:
            OpenToAll: nobody would be, or rather everybody, since no API key lives.
            StoreError: nobody knows.
        """
        if self.to() is not Open.NOBODY:
            return
        now = self._keyring.now()
        if not any(key.lives(now) for key in (await self._keyring.keys()).values()):
            raise OpenToAll(
                f"HOST is {self._host}, which other machines can reach, and no API key keeps anybody out.",
                why="Whoever reaches it could read, change and enqueue every job.",
                hint="Make a key: `ferryman api-keys add NAME --scope ...`. Or set HOST=127.0.0.1, behind a proxy that"
                " asks who comes. Or set ALLOW_OPEN=true, where everybody may.",
            )

    async def done(self) -> None:
        """There is nothing to stop of a look."""
