"""Which page has a browser send a request, as far as the browser says so; programs say nothing."""

from __future__ import annotations

from typing import Final

from ferryman.domain.errors import CrossSiteRequest
from ferryman.http import cookie
from ferryman.http.exchange import Request

_OURS: Final = b"same-origin"
_NOBODYS: Final = frozenset({None, b"none"})
"""Said where no page sends it: by programs nothing, by browsers `none` for an address that somebody has typed."""


def check_change(request: Request) -> None:
    """Refuse a request that would change something for another site's page.

    Browsers add cookies to what any page sends; so one that shows a cookie has to say that it is a page of ours.

    Raises:
        CrossSiteRequest: another site's page sends it, or nobody says which.
    """
    site = _site(request)
    if site == _OURS:
        return
    if site not in _NOBODYS:
        raise CrossSiteRequest(
            "A page of another site sent this request.",
            why="It would change something, and pages of other sites may not.",
            hint="Send it from a program, or from a page of this very address.",
        )
    if cookie.shown(request) is not None:
        raise CrossSiteRequest(
            "This request shows an API key in a cookie, and does not say which page sends it.",
            why="It would change something, and browsers add cookies to what any page sends.",
            hint="From a program, send `Authorization: Bearer ...`. Browsers send Origin by themselves.",
        )


def check_cookie(request: Request) -> None:
    """Refuse to take a cookie from another site's page: it may not even have something read.

    Raises:
        CrossSiteRequest: the page is on another host, port or scheme, even where cookies are sent along to it.
    """
    site = _site(request)
    if site != _OURS and site not in _NOBODYS:
        raise CrossSiteRequest(
            "A page of another site sent this request.",
            why="It shows the API key of whoever has signed in here, which only pages of this very address may.",
            hint="Open it from a page of this very address, or type the address.",
        )


def _site(request: Request) -> bytes | None:
    """How far the page is away, in the words of Sec-Fetch-Site; None where nothing is said."""
    site = request.headers.get(b"sec-fetch-site")
    origin = request.headers.get(b"origin")
    if site is not None or origin is None:
        return site
    return _OURS if origin.partition(b"://")[2] == request.headers.get(b"host") else b"cross-site"
