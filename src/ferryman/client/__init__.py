"""Every verb a person may say about jobs, over a Store; the HTTP API and `Ferryman` are skins over this."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ferryman.client.request import Accepted, Catalogue, JobRequest, JobType

if TYPE_CHECKING:
    from ferryman.client.verbs import Client

__all__ = ["Accepted", "Catalogue", "Client", "JobRequest", "JobType"]


def __getattr__(name: str) -> object:
    """Load `Client` when somebody asks for it: it needs an event loop, and whoever only declares jobs does not."""
    if name == "Client":
        client: object = importlib.import_module("ferryman.client.verbs").Client
        return client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
