"""A client for the HTTP API: what `Ferryman` and the command line do, without the database.

Remote and its groups (any thread, any loop) -> RemoteClient and its groups (one loop): verbs as requests
                                   -> Connection: when to say a request again -> httpx2

An app whose DATABASE_URL is the URL of a server has a RemoteClient where it would else have a client over a store.
"""

from __future__ import annotations

import importlib.util

from ferryman.domain.errors import ToolMissing

if importlib.util.find_spec("httpx2") is None:
    raise ToolMissing(
        "ferryman.http.remote needs httpx2, which is not installed.", hint="Run: pip install 'ferryman[client]'"
    )

from ferryman.domain.keys import GateRule
from ferryman.domain.limits import Limit, Scope
from ferryman.http.remote.client import client_of
from ferryman.http.remote.remote import Remote
from ferryman.store.auditing import AuditFilter
from ferryman.store.watching import version_of

__all__ = ["AuditFilter", "GateRule", "Limit", "Remote", "Scope", "client_of", "version_of"]
