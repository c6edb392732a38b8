"""HTTP and state: FM4xx."""

from __future__ import annotations

from ferryman.domain.errors.base import FerrymanError


class RequestError(FerrymanError):
    """A request cannot be answered as asked."""

    code = "FM4XX"


class MalformedJson(RequestError):
    """The body is not JSON."""

    code = "FM400"


class BadParameter(RequestError):
    """A query parameter is unknown or has a bad value."""

    code = "FM401"


class MalformedRequest(RequestError):
    """The bytes are not an HTTP request."""

    code = "FM402"


class JobNotFound(RequestError):
    """No job has this id, or retention has passed."""

    code = "FM404"


class MethodNotAllowed(RequestError):
    """The path does not take this method."""

    code = "FM405"


class NotAcceptable(RequestError):
    """No representation fits the Accept header."""

    code = "FM406"


class RequestTimeout(RequestError):
    """A request did not come to its end in time."""

    code = "FM408"


class WrongState(RequestError):
    """The job's status does not allow this."""

    code = "FM409"


class PreconditionFailed(RequestError):
    """The job has changed since the client has read it."""

    code = "FM412"


class BodyTooLarge(RequestError):
    """The body is over MAX_BODY."""

    code = "FM413"


class WrongContentType(RequestError):
    """The body is not announced as what the path takes."""

    code = "FM415"


class NodeNotFound(RequestError):
    """No node has this id, or it ended too long ago."""

    code = "FM416"


class ScheduleNotFound(RequestError):
    """No schedule has this name."""

    code = "FM417"


class KeyNotFound(RequestError):
    """Nobody uses this key."""

    code = "FM418"


class NodeEnded(RequestError):
    """The node has ended, or its process is gone: it can be told nothing."""

    code = "FM419"


class WrongContent(RequestError):
    """The JSON is valid, its content is not; `errors` lists (pointer, message) pairs."""

    code = "FM422"

    def __init__(self, what: str, *, errors: tuple[tuple[str, str], ...] = (), why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.errors = errors


class BadFilter(RequestError):
    """A filter cannot be read; `column` says from where on, counting from 1."""

    code = "FM423"

    def __init__(self, what: str, *, column: int, why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.column = column


class OperationNotFound(RequestError):
    """No operation has this id, or it ended long ago."""

    code = "FM424"


class ErrorGroupNotFound(RequestError):
    """Nothing has failed of an error group of this id, or it is no longer known."""

    code = "FM425"


class HeadTooLarge(RequestError):
    """The line of a request and its headers have too many bytes."""

    code = "FM431"


class RouteNotFound(RequestError):
    """There is nothing at this path."""

    code = "FM440"


class ShuttingDown(RequestError):
    """The node is stopping and takes nothing more."""

    code = "FM450"


class TooManyConnections(RequestError):
    """MAX_CONNECTIONS are open."""

    code = "FM451"


class ServerUnreachable(RequestError):
    """No answer came from the server of `ferryman.http.remote`; what was asked may have been done all the same."""

    code = "FM460"


class RemoteError(RequestError):
    """What answers is not, or not only, a server of Ferryman's: `status` is its HTTP status, `remote_code` its code."""

    code = "FM461"

    def __init__(self, what: str, *, status: int, remote_code: str = "", why: str = "", hint: str = "") -> None:
        super().__init__(what, why=why, hint=hint)
        self.status = status
        self.remote_code = remote_code


class InternalError(RequestError):
    """Something broke that no other code names: a fault of Ferryman's own."""

    code = "FM499"
