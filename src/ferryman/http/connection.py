"""uvicorn's connection, which tells what is not HTTP at all in the words that every other error has."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ferryman.domain.errors import MalformedRequest
from ferryman.http.problems import problem


class Connection(HttpToolsProtocol):
    """One client's connection."""

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no request, and close: nobody can tell where the next request would begin."""
        answer = problem(MalformedRequest("This is not an HTTP request.", why=msg))
        headers = (*answer.headers, (b"content-length", b"%d" % len(answer.body)), (b"connection", b"close"))
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%s\r\n%s" % (lines, answer.body))
        self.transport.close()
