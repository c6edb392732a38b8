"""Whether the API may be open to everybody: to this machine it may, to others only where somebody says so."""

from __future__ import annotations

from collections.abc import Callable

from ferryman.domain.errors import OpenToAll
from ferryman.http.keyring import Keyring


class Openness:
    """What the address of a server means for who may use it."""

    def __init__(self, keyring: Keyring, is_local: Callable[[], bool], *, host: str, is_allowed_anywhere: bool) -> None:
        """Nothing is looked at yet.

        Args:
            keyring: the API keys.
            is_local: whether only this machine can reach the API; asked once the address is bound.
            host: the address as the settings have it.
            is_allowed_anywhere: whether ALLOW_OPEN was said.
        """
        self._keyring = keyring
        self._is_local = is_local
        self._host = host
        self._is_allowed_anywhere = is_allowed_anywhere

    def is_allowed(self) -> bool:
        """Whether everybody may pass while there is no API key; known once the server is bound."""
        return self._is_allowed_anywhere or self._is_local()

    async def check(self) -> None:
        """Before other machines are answered: see that somebody is kept out.

        Raises:
            OpenToAll: nobody would be, or rather everybody, since no API key lives.
            StoreError: nobody knows.
        """
        if self.is_allowed():
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
