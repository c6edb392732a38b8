"""Who sends a request, as the audit log says it."""

from __future__ import annotations

from ferryman.http.exchange import Request


def actor_of(request: Request) -> str:
    """Whose deed it is where the request changes something: the API key's, by its name, if one was asked for."""
    name = request.caller.name
    return f"api-key:{name}" if name else "http"
