"""Who sends a request, as the audit log says it."""

from __future__ import annotations

from ferryman.http.exchange import Request


def actor_of(_request: Request) -> str:
    """Whose deed it is where the request changes something. Nobody says who they are: it came over HTTP."""
    return "http"
