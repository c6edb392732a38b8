"""Keys and rights: FM6xx."""

from __future__ import annotations

from ferryman.domain.errors.base import FerrymanError


class AccessError(FerrymanError):
    """Somebody may not do this, or an API key is not as it should be."""

    code = "FM600"


class ApiKeyMissing(AccessError):
    """The request shows no API key, and needs one."""

    code = "FM601"


class ApiKeyRefused(AccessError):
    """The API key is unknown, has expired or was revoked; nobody is told which."""

    code = "FM602"


class ScopeMissing(AccessError):
    """The API key does not have the scope that the request needs."""

    code = "FM603"

    def __init__(self, what: str, *, scope: str, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.scope = scope


class QueueForbidden(AccessError):
    """The API key is limited to other queues."""

    code = "FM604"


class CrossSiteRequest(AccessError):
    """A page of another site sent a request that would change something, or shows the cookie of who has signed in."""

    code = "FM605"


class TooManyRequests(AccessError):
    """The API key has made all requests that its rate allows; `retry_after` is in whole seconds."""

    code = "FM606"

    def __init__(self, what: str, *, retry_after: int, rate: float, burst: int, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.retry_after = retry_after
        self.rate = rate
        self.burst = burst


class HostRefused(AccessError):
    """The API is open to this machine alone, and the request's Host is a name that anybody may have made."""

    code = "FM609"


class TooManyLastingRequests(AccessError):
    """Streams of events, waits and imports keep so many connections that another one would leave no room."""

    code = "FM610"


class QuotaSpent(AccessError):
    """The API key has enqueued as many jobs as it may today; `retry_after` is in whole seconds."""

    code = "FM611"

    def __init__(self, what: str, *, retry_after: int, quota: int, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.retry_after = retry_after
        self.quota = quota


class ApiKeyNotFound(AccessError):
    """No API key of this name lives."""

    code = "FM607"


class ApiKeyTaken(AccessError):
    """An API key of this name lives already, or two of them do."""

    code = "FM608"
