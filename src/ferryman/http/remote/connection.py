"""The way to one server: says requests, again where `Patience` says so, until there is an answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

import httpx2
import msgspec

from ferryman.domain.errors import FerrymanError, RemoteError, ServerUnreachable
from ferryman.http.remote.address import base_of, headers_of
from ferryman.http.remote.asking import Ask, Reply
from ferryman.http.remote.patience import Patience, Trouble, trouble_of
from ferryman.http.remote.problems import error_of, stranger
from ferryman.http.remote.streaming import Stream
from ferryman.version import VERSION

ANSWER_MOST: Final = 256 * 1024 * 1024
"""Bytes of an answer that are read; a longer one is refused."""
OK: Final = 200
CONNECT: Final = 10.0
"""Seconds that it may take to be connected; so long a server may be away without being given up at once."""
_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
"""What goes wrong before anything of a request is sent."""

Exchange = Callable[[Ask, float], Awaitable[Reply]]
"""Says a request once, within so many seconds."""


class Connection:
    """Lives on one event loop, from `open` to `close`; it keeps its connections to the server open."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        patience: Patience | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        trust_env: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        dice: random.Random | None = None,
        answer_most: int = ANSWER_MOST,
    ) -> None:
        """Prepare; nothing is opened.

        Args:
            url: where the API is.
            api_key: sent as `Authorization: Bearer`.
            patience: how long and how often requests are said.
            transport: what carries them instead of the network.
            trust_env: whether the proxies of the environment are used.
            monotonic: seconds that only grow.
            sleep: waits so many seconds.
            dice: makes pauses differ.
            answer_most: bytes of an answer that are read.

        Raises:
            BadSetting: the URL or the key is none.
        """
        self.base: Final = base_of(url)
        self._headers = headers_of(api_key)
        self._patience = patience or Patience()
        self._transport = transport
        self._trust_env = trust_env
        self.monotonic: Final = monotonic
        self.sleep: Final = sleep
        self.dice: Final = dice or random.Random()
        self._answer_most = answer_most
        self._http: httpx2.AsyncClient | None = None

    async def open(self) -> None:
        """Make ready; the server is first asked when there is something to say."""
        self._http = httpx2.AsyncClient(
            headers={**self._headers, "user-agent": f"ferryman/{VERSION}"},
            transport=self._transport,
            trust_env=self._trust_env,
            follow_redirects=False,  # a key would go where somebody else says
        )

    async def close(self) -> None:
        """Close every connection; idempotent."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def say(self, ask: Ask) -> Reply:
        """The good answer to a request.

        Raises:
            ServerUnreachable: no answer came in time.
            RemoteError: what came is not an answer of Ferryman's.
            FerrymanError: the one that the server told.
        """
        return _good(await self.tell(ask))

    async def tell(self, ask: Ask) -> Reply:
        """As `say`, but an answer is given whatever it tells, unless it says to come again."""
        return await self._insist(ask, self._exchange)

    async def listen(self, ask: Ask, silence: float) -> tuple[Reply, Stream | None]:
        """The good answer to a request, and its body as it comes; None where it says that there is none.

        Args:
            ask: the request.
            silence: seconds for which nothing may come of the body.

        Raises: as `say`.
        """
        streams: list[Stream] = []

        async def begin(ask: Ask, seconds: float) -> Reply:
            response = await self._send(ask, _limits(seconds, silence))
            if response.status_code != OK:
                return await self._whole(response)
            streams.append(Stream(response))
            return _reply(response, b"")

        return _good(await self._insist(ask, begin)), next(iter(streams), None)

    async def _insist(self, ask: Ask, exchange: Exchange) -> Reply:
        """Say a request until there is an answer that does not say to come again."""
        begun = self.monotonic()
        tries, unsure = 0, False
        while True:
            spent = self.monotonic() - begun
            got = await self._try(ask, self._patience.at_once(ask, spent), exchange)
            if isinstance(got, Reply):
                found = trouble_of(got)
                if found is None:
                    return msgspec.structs.replace(got, unsure=unsure)
                got = found
            tries += not got.no_room
            unsure = unsure or got.unsure
            spent = self.monotonic() - begun
            pause = self._patience.pause(ask, got, tries, spent, self.dice.random())
            if pause is None:
                raise _given_up(got.error, unsure)
            await self.sleep(pause)

    async def _try(self, ask: Ask, seconds: float, exchange: Exchange) -> Reply | Trouble:
        """Say a request once."""
        try:
            async with asyncio.timeout(seconds + ask.held):
                return await exchange(ask, seconds)
        except (httpx2.RequestError, TimeoutError) as error:
            unsure = not isinstance(error, _NOT_SENT)
            why = str(error) or type(error).__name__
        # outside of the clause: the library's error knows the request, and so its key
        return Trouble(ServerUnreachable(f"No answer came from {self.base}.", why=f"{why.rstrip('.')}."), unsure)

    async def _exchange(self, ask: Ask, seconds: float) -> Reply:
        return await self._whole(await self._send(ask, _limits(seconds, seconds + ask.held)))

    async def _send(self, ask: Ask, limits: httpx2.Timeout) -> httpx2.Response:
        """The answer, of which the body has not been read; it is to be closed."""
        if self._http is None:
            raise ServerUnreachable(f"The way to {self.base} is closed.")
        headers = dict(ask.headers)
        if ask.body is not None:
            headers.setdefault("content-type", "application/json")
        request = self._http.build_request(
            ask.method, self.base + ask.path, content=ask.body, headers=headers, timeout=limits
        )
        return await self._http.send(request, stream=True)

    async def _whole(self, response: httpx2.Response) -> Reply:
        """The answer with its body."""
        try:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > self._answer_most:
                    raise RemoteError(
                        f"An answer has more than {self._answer_most} bytes.",
                        status=response.status_code,
                        hint="Ask for fewer jobs at once.",
                    )
            return _reply(response, bytes(body))
        finally:
            await response.aclose()


def _limits(seconds: float, read: float) -> httpx2.Timeout:
    return httpx2.Timeout(seconds, read=read, connect=min(seconds, CONNECT))


def _reply(response: httpx2.Response, body: bytes) -> Reply:
    return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)


def _good(reply: Reply) -> Reply:
    """The answer, if it tells no error. Raises as `Connection.say`."""
    if 200 <= reply.status < 300:
        return reply
    if 300 <= reply.status < 400:
        raise stranger(reply, f"It answered {reply.status}, and redirects are not followed")
    raise error_of(reply)


def _given_up(error: FerrymanError, unsure: bool) -> FerrymanError:
    if not isinstance(error, ServerUnreachable):
        if unsure:
            error.add_note("An earlier try got no answer: it may have been done all the same.")
        return error
    if unsure:
        hint = "It may have been done all the same: look, or say it again under the same id."
    else:
        hint = "Nothing was done. See whether the server runs, and whether the URL is right."
    return ServerUnreachable(error.what, why=error.why, hint=hint)
