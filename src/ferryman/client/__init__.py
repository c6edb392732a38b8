"""Every verb a person may say about jobs, over a Store; the HTTP API and `Ferryman` are skins over this."""

from __future__ import annotations

from ferryman.client.request import Accepted, Catalogue, JobRequest, JobType
from ferryman.client.verbs import Client

__all__ = ["Accepted", "Catalogue", "Client", "JobRequest", "JobType"]
