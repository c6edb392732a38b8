"""Where the server is, and who asks: read strictly, and never shown with a secret in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from ferryman.domain.errors import BadSetting

_KEY: Final = re.compile("[!-~]{1,4096}")


def base_of(url: str) -> str:
    """The URL of an API, without a slash at its end; it may be mounted somewhere: https://example.org/queue.

    Raises:
        BadSetting: it is none, or there is a password, a query or a fragment in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("It cannot be read.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _refused("It is no URL of a server.")
    if parts.username is not None or parts.password is not None:
        raise _refused("There is a user or a password in it.", "Give the key of the API as api_key.")
    if "?" in url or "#" in url or re.search(r"[\x00-\x20\x7f-\U0010ffff\\]", url):
        raise _refused("There is something behind its path, or a character that no URL has.")
    return url.rstrip("/")


def headers_of(api_key: str | None) -> Mapping[str, str]:
    """What every request says. Raises BadSetting: the key could not be sent."""
    # no encoding: who reads with a bound must know how much comes
    said = {"accept": "application/json", "accept-encoding": "identity"}
    if api_key is None:
        return said
    if not _KEY.fullmatch(api_key):
        raise BadSetting("The api_key cannot be sent.", why="It has to be visible ASCII characters, at least one.")
    return said | {"authorization": f"Bearer {api_key}"}


def _refused(why: str, hint: str = "Such as http://queue.internal:8080, or https://example.org/queue.") -> BadSetting:
    return BadSetting("The URL of the server is not allowed.", why=why, hint=hint)
