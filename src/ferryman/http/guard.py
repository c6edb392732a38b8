"""Who may pass: every operation is asked for here, and one that names no right cannot be written.

request -> of another site's page? -> which API key? -> its rate -> the operation's right -> its queues -> operation

A key is shown in a header, or by a browser in the cookie of whoever has signed in; the header wins.

Without any API key in the store everybody may pass, where it may be open: inside another application, where ALLOW_OPEN
says so, or on an address of this machine alone, to whoever names it as such (`Openness`). A store that cannot be read
lets nobody pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ferryman.domain.access import EVERYBODY, ApiKey, Caller, Shown, read_text
from ferryman.domain.errors import (
    ApiKeyMissing,
    ApiKeyRefused,
    HostRefused,
    QueueForbidden,
    ScopeMissing,
)
from ferryman.domain.secrets import Secret
from ferryman.http import cookie, sites
from ferryman.http.exchange import Request
from ferryman.http.keyring import Keyring
from ferryman.http.meter import Meter
from ferryman.http.openness import Open, is_nobodys
from ferryman.http.operation import Operation
from ferryman.http.refusals import Refusals

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SCHEME: Final = b"bearer "
_HINT: Final = "Send it as `Authorization: Bearer ...`; `ferryman api-keys add NAME --scope ...` makes one."


class Guard:
    """Asks each request for its API key, and the key for what it opens."""

    def __init__(self, keyring: Keyring, meter: Meter, refusals: Refusals, open_to: Callable[[], Open]) -> None:
        """`open_to` says who may pass while there is no API key."""
        self._keyring = keyring
        self._meter = meter
        self._refusals = refusals
        self._open_to = open_to

    async def admit(self, request: Request, operation: Operation) -> None:
        """Let a request pass, and tell it who its caller is.

        Raises:
            CrossSiteRequest, HostRefused: a browser sends it for a page of another site, or may do so.
            ApiKeyMissing, ApiKeyRefused: it shows no API key that lives.
            TooManyRequests: its key has made too many.
            ScopeMissing, QueueForbidden: its key is not for this.
            StoreError: nobody knows whether its key lives.
        """
        if request.method not in _SAFE:
            sites.check_change(request)
        if operation.right is None:
            return
        caller = await self.recognise(request)
        if not caller.may(operation.right):
            raise ScopeMissing(
                f"The API key {caller.name} does not have the scope {operation.right}.",
                scope=operation.right,
                hint="Use another key: what a key may do is said when it is made.",
            )
        if caller.queues is not None and not operation.by_queue:
            raise QueueForbidden(
                f"The API key {caller.name} is limited to queues, and this is not about one of them.",
                why=f"Its queues: {', '.join(sorted(caller.queues))}.",
            )
        request.caller = caller
        request.look_again = self._key

    async def recognise(self, request: Request) -> Caller:
        """Who sends a request, which counts as one that their key has made.

        Raises: as `admit`, but for what is said of operations.
        """
        try:
            key = await self._key(request)
        except ApiKeyRefused:
            self._refusals.note(request)
            raise
        return EVERYBODY if key is None else self._counted(key)

    async def recognise_text(self, request: Request, text: Secret[str]) -> Caller:
        """Whose API key a text is that a request has in its body.

        Raises: as `recognise`; where nobody needs a key, too.
        """
        keys = await self._keyring.keys()
        try:
            key = self._opened(keys, read_text(text.reveal()))
        except ApiKeyRefused:
            self._refusals.note(request)
            raise
        return self._counted(key)

    def forget(self) -> None:
        """Keys were changed: what was known of them counts no more."""
        self._keyring.forget()

    def _counted(self, key: ApiKey) -> Caller:
        self._meter.spend(key)
        self._keyring.used(key)
        return key.caller()

    async def _key(self, request: Request) -> ApiKey | None:
        """The living key that a request shows; None where it needs none."""
        keys = await self._keyring.keys()
        if not keys and (open_to := self._open_to()) is not Open.NOBODY:
            if open_to is Open.HERE:
                _refuse_made_names(request)
            return None
        return self._opened(keys, _shown(request))

    def _opened(self, keys: Mapping[str, ApiKey], shown: Shown | None) -> ApiKey:
        """The living key that is shown. Raises ApiKeyRefused: it is none."""
        if shown is None:
            raise _refused()
        key = keys.get(shown.id)
        if not shown.opens(key) or key is None or not key.lives(self._keyring.now()):
            raise _refused()
        return key


def _shown(request: Request) -> Shown | None:
    """The API key that a request shows; None where what it shows is none. Raises ApiKeyMissing, CrossSiteRequest."""
    said = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if not said:
        return _shown_by_cookie(request)
    scheme, text = said[0][: len(_SCHEME)], said[0][len(_SCHEME) :]
    return read_text(text.decode("latin-1").strip()) if len(said) == 1 and scheme.lower() == _SCHEME else None


def _shown_by_cookie(request: Request) -> Shown | None:
    text = cookie.shown(request)
    if text is None:
        raise ApiKeyMissing("This request shows no API key.", hint=_HINT)
    sites.check_cookie(request)
    return read_text(text)


def _refused() -> ApiKeyRefused:
    return ApiKeyRefused("This API key opens nothing.", why="It is unknown, has expired or was revoked.", hint=_HINT)


def _refuse_made_names(request: Request) -> None:
    """Refuse a Host that somebody may have made point at this machine; programs that send none are no browsers."""
    host = request.headers.get(b"host")
    if host is not None and not is_nobodys(host):
        raise HostRefused(
            f"Without an API key this is open to localhost, not to {host.decode('latin-1')[:200]!a}.",
            why="Any site may have a name point at this machine, and its pages would read and change what they like.",
            hint="Ask for localhost or 127.0.0.1. Or make a key: `ferryman api-keys add NAME --scope ...`. Or have the"
            " proxy send `Host: 127.0.0.1`. Or set ALLOW_OPEN=true, where everybody may.",
        )
