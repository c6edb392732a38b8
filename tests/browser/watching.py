"""A page that is watched: whatever goes wrong in it is written down, and fails the test that has not expected it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, Response

VIOLATION: Final = "securitypolicyviolation"
TELL_VIOLATIONS: Final = f"""
addEventListener("{VIOLATION}", (event) => {{
  const {{ effectiveDirective, blockedURI, sourceFile, lineNumber, sample }} = event;
  console.error("{VIOLATION}", effectiveDirective, blockedURI, sourceFile, lineNumber, sample);
}}, true);
"""
"""Chromium's own message says what was refused; the event says where."""
UNLOADED: Final = "Failed to load resource"
"""What the console says of each answer that is an error; here the answer itself is judged."""
CUT_OFF: Final = "net::ERR_ABORTED"
"""The page itself did not want the answer any more."""
GONE: Final = (
    "net::ERR_CONNECTION_REFUSED",
    "net::ERR_CONNECTION_RESET",
    "net::ERR_EMPTY_RESPONSE",
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
    "net::ERR_SOCKET_NOT_CONNECTED",
)
"""How requests fail whose server is gone."""


class Watched:
    """The watch over one page of one server. Nothing is asked of others."""

    def __init__(self, page: Page, server: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._origin = _origin(server)
        self._expected: list[tuple[int, re.Pattern[str]]] = []
        self._is_gone = False
        page.add_init_script(TELL_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"an error that nobody caught: {error}"))
        page.on("crash", lambda _: self.complaints.append("the page crashed"))
        page.on("dialog", self._dialog)
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def expect(self, status: int, path: str = ".*") -> None:
        """An answer with this status is right where the whole path, without the query, is as the pattern says."""
        self._expected.append((status, re.compile(path)))

    @contextmanager
    def server_gone(self) -> Iterator[None]:
        """Within the block requests may fail for want of a server, or be refused by one that stops."""
        self._is_gone = True
        yield
        self._is_gone = False

    def begin_anew(self) -> None:
        """Forget what was complained of and expected, for the next one who looks at the page."""
        self.complaints.clear()
        self._expected.clear()

    def check(self) -> None:
        """Fail if there is a complaint."""
        assert not self.complaints, "The page complains:\n" + "\n".join(self.complaints)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(UNLOADED):
            self.complaints.append(f"console: {message.text} ({message.location['url']})")

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if _origin(request.url) != self._origin and request.url != "about:blank":
            self.complaints.append(f"asked somebody else: {request.method} {request.url[:200]}")

    def _failed(self, request: Request) -> None:
        why = request.failure or ""
        if why == CUT_OFF or (self._is_gone and why in GONE):
            return
        self.complaints.append(f"no answer: {request.method} {request.url} ({why})")

    def _response(self, response: Response) -> None:
        path = urlsplit(response.url).path
        expected = any(status == response.status and wanted.fullmatch(path) for status, wanted in self._expected)
        if response.status < 400 or expected or (self._is_gone and response.status == 503):
            return
        self.complaints.append(f"refused: {response.status} {response.request.method} {response.url}")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
