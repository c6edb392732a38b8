"""The dashboard: built files that are shipped with the package, served at / and below it.

They hold nothing that is secret, so that nobody is asked who they are, and no store is looked at: a page that comes can
say what is wrong. Only names that were found when the process started are served; a path is looked up, never followed.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

import msgspec

from ferryman.http import etags
from ferryman.http.exchange import Answer, Headers, Request
from ferryman.http.operation import HTML, Operation
from ferryman.http.resource import likings

ROOM: Final = "ferryman.http"
FOLDER: Final = "static"
"""Where the files lie."""
INDEX: Final = "index.html"
HASHED: Final = "assets/"
"""Below it a name has the hash of what it names, so that it never names anything else."""

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""The Content-Security-Policy: what is shipped, and this very API; no text can become a script."""

_GUARDED: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_FOREVER: Final = (b"cache-control", b"public, max-age=31536000, immutable")
_ASK: Final = (b"cache-control", b"no-cache")
_VARY: Final = (b"vary", b"accept-encoding")
_GZIP: Final = (b"content-encoding", b"gzip")
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".css": "text/css",
        ".html": HTML,
        ".ico": "image/x-icon",
        ".js": "text/javascript",
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".txt": "text/plain",
        ".woff2": "font/woff2",
    }
)


class Form(msgspec.Struct, frozen=True):
    """A file as it goes out, plainly or compressed; each form has a version of its own."""

    body: bytes
    tag: str
    headers: Headers


class File(msgspec.Struct, frozen=True):
    """One file of the dashboard."""

    path: str
    """Where it is served."""
    type: str
    plain: Form
    compressed: Form | None
    """None where it would not be smaller."""


class Dashboard:
    """What is served of it."""

    def __init__(self, found: Mapping[str, bytes]) -> None:
        """`found` has the content of each file by its name, such as assets/main-1f0c9a52.js."""
        self._files = [_file(name, body) for name, body in sorted(found.items())]

    def operations(self) -> tuple[Operation, ...]:
        """One for each file. They are no part of the API, and its document does not tell of them."""
        return tuple(
            Operation(
                "GET", each.path, None, partial(_send, each), "Show the dashboard", {200: str}, offers=(each.type,)
            )
            for each in self._files
        )


def shipped() -> Mapping[str, bytes]:
    """The content of the files that were shipped with the package, by name."""
    return dict(_below(files(ROOM) / FOLDER, ""))


def _below(folder: Traversable, at: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _below(each, f"{at}{each.name}/")
        else:
            yield f"{at}{each.name}", each.read_bytes()


def _file(name: str, body: bytes) -> File:
    media = _TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
    said = f"{media}; charset=utf-8" if media.startswith("text/") else media
    headers = ((b"content-type", said.encode()), _FOREVER if name.startswith(HASHED) else _ASK, _VARY, *_GUARDED)
    smaller = gzip.compress(body, mtime=0)
    return File(
        "/" if name == INDEX else f"/{name}",
        media,
        _form(body, headers),
        _form(smaller, (*headers, _GZIP)) if len(smaller) < len(body) else None,
    )


def _form(body: bytes, headers: Headers) -> Form:
    tag = hashlib.sha256(body).hexdigest()[:32]
    return Form(body, tag, (*headers, etags.header(tag)))


async def _send(file: File, request: Request) -> Answer:
    """Whatever is asked for beyond the path is the page's own business."""
    form = file.compressed if file.compressed is not None and _takes_gzip(request) else file.plain
    if etags.is_named(request, form.tag):
        return Answer(304, form.headers)
    return Answer(200, form.headers, form.body)


def _takes_gzip(request: Request) -> bool:
    liked = dict(likings(request.headers.get(b"accept-encoding", b"")))
    return liked.get("gzip", liked.get("*", 0.0)) > 0
