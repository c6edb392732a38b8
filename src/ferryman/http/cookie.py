"""The cookie by which a browser shows the API key of whoever has signed in.

Its value is the key's text, so that no process has to remember who is signed in: any node knows the cookie, and goes on
knowing it when it has started again. Scripts cannot read it, and no page of another site can have it sent.
"""

from __future__ import annotations

import re
from typing import Final

from ferryman.domain.secrets import Secret
from ferryman.http.exchange import Request

_NAME: Final = b"ferryman"
_HOST_ALONE: Final = b"__Host-"
"""Before a name: browsers take such a cookie from this very host by HTTPS only, not from a sibling."""
_PORT: Final = re.compile(rb":(\d{1,5})\Z")
_HTTPS: Final = b"https"
_SECURE: Final = b"; Secure"

Header = tuple[bytes, bytes]


def shown(request: Request) -> str | None:
    """The text by which a request shows its API key in a cookie; None where it has none, or has a header for that."""
    if b"authorization" in request.headers or b"cookie" not in request.headers:
        return None  # programs, mostly
    told = _told(request)
    return next((told[name].decode("latin-1") for name in _names(request) if name in told), None)


def keeping(request: Request, text: Secret[str]) -> Header:
    """The header that has a browser show an API key from now on, until it is closed."""
    # a proxy that speaks HTTPS for us may not be trusted to say so; that the page came by it a browser says itself
    by_https = _is_https(request) or request.headers.get(b"origin", b"").startswith(_HTTPS + b"://")
    name = _names(request)[0 if by_https else -1]
    return _cookie(request, name, text.reveal().encode(), _SECURE if by_https else b"")


def ending(request: Request) -> tuple[Header, ...]:
    """The headers that have a browser forget what it has shown."""
    told = _told(request)
    # without Secure a browser takes no name for this host alone, and with it none at all by HTTP
    return tuple(
        _cookie(request, name, b"", (_SECURE if name.startswith(_HOST_ALONE) else b"") + b"; Max-Age=0")
        for name in _names(request)
        if name in told
    )


def _told(request: Request) -> dict[bytes, bytes]:
    """All cookies; of two of one name the first, which is that of the longer path."""
    # by HTTP/2 each cookie may come in a header of its own
    cookies = b";".join(value for header, value in request.scope["headers"] if header == b"cookie")
    found: dict[bytes, bytes] = {}
    for each in cookies.split(b";"):
        name, _, value = each.strip().partition(b"=")
        found.setdefault(name, value)
    return found


def _cookie(request: Request, name: bytes, value: bytes, more: bytes) -> Header:
    flags = b"; HttpOnly; SameSite=Strict" + more
    return (b"set-cookie", b"%s=%s; Path=%s%s" % (name, value, _path(request), flags))


def _names(request: Request) -> tuple[bytes, ...]:
    """What the cookie may be called, the name that nobody else can have set first.

    With most requests a browser does not say whether the page came by HTTPS. Where we know that it did, that name alone
    will do.
    """
    name = _name(request)
    if _path(request) != b"/":
        return (name,)
    alone = _HOST_ALONE + name
    return (alone,) if _is_https(request) else (alone, name)


def _name(request: Request) -> bytes:
    """With the port, of which cookies know nothing: two servers on one machine would end each other's."""
    port = _PORT.search(request.headers.get(b"host", b""))
    return _NAME if port is None else _NAME + b"-" + port[1]


def _path(request: Request) -> bytes:
    return request.prefix.encode() or b"/"


def _is_https(request: Request) -> bool:
    return request.scope.get("scheme") == "https"
