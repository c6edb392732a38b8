"""Which version of a job or an operation a client has: ETag, If-None-Match, If-Match (RFC 9110, 8.8.3 and 13.1)."""

from __future__ import annotations

import re
from typing import Final

from ferryman.domain.job import Job
from ferryman.http.exchange import Request
from ferryman.store.watching import Version, has_changed, version_of

_TAG: Final = re.compile(rb'(W/)?"([^"]*)"')


def etag(job: Job) -> tuple[bytes, bytes]:
    """The header that names the version of a job."""
    return header(version_of(job).tag)


def header(tag: str) -> tuple[bytes, bytes]:
    """The header that names a version by its tag."""
    return (b"etag", b'"%s"' % tag.encode())


def is_known(request: Request, job: Job) -> bool:
    """Whether the client has this version of a job already, as its If-None-Match says."""
    return is_named(request, version_of(job).tag)


def is_named(request: Request, tag: str) -> bool:
    """Whether the client has the version with this tag already, as its If-None-Match says."""
    said = request.headers.get(b"if-none-match")
    if said is None:
        return False
    return said.strip() == b"*" or tag.encode() in {match[2] for match in _TAG.finditer(said)}


def expects(request: Request) -> bool:
    """Whether the client says that it means one version of the job."""
    return request.headers.get(b"if-match", b"*").strip() != b"*"


def expected(request: Request, job: Job) -> Version:
    """The version that the client means, which is that of the job as it was just read.

    Raises:
        PreconditionFailed: it means another one.
    """
    found = version_of(job)
    named = {match[2].decode("latin-1") for match in _TAG.finditer(request.headers[b"if-match"]) if not match[1]}
    if found.tag not in named:
        raise has_changed(job.id, found)
    return found
