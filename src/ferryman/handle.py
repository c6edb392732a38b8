"""What a caller holds of a job that was enqueued."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

from ferryman.domain import options
from ferryman.domain.errors import JobCancelled, JobFailed
from ferryman.domain.job import Job
from ferryman.domain.state import Status

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


class Looks(Protocol):
    """The two verbs of a client that a handle says."""

    async def get(self, id: str) -> Job:
        """One job. Raises JobNotFound."""
        ...

    async def wait(self, id: str, timeout: float | None = None) -> Job:  # noqa: ASYNC109 - as the client has it
        """The job once it has ended. Raises JobNotFound, ResultTimeout."""
        ...


class Way(Protocol):
    """The way to a client, from any thread and any loop."""

    def call(self, verb: Callable[[Looks], Coroutine[Any, Any, T]], instead: str) -> T:
        """Do what `verb` does with the client, and block until it is done. Raises SyncInsideLoop."""
        ...

    async def acall(self, verb: Callable[[Looks], Coroutine[Any, Any, T]]) -> T:
        """Do what `verb` does with the client."""
        ...


class Handle(Generic[R_co]):
    """One enqueued job, by its id; `R_co` is what its handler returns."""

    __slots__ = ("_decode", "_id", "_way")

    def __init__(self, id: str, way: Way, decode: Callable[[str], Any]) -> None:
        self._id = id
        self._way = way
        self._decode = decode

    @property
    def id(self) -> str:
        """The job's id, a UUIDv7."""
        return self._id

    def status(self) -> Status:
        """Where the job stands now.

        Raises:
            JobNotFound: its retention has passed.
            SyncInsideLoop: an event loop runs here; await `astatus`.
        """
        return self._way.call(lambda client: client.get(self._id), "astatus()").status

    async def astatus(self) -> Status:
        """As `status`, without blocking."""
        return (await self._way.acall(lambda client: client.get(self._id))).status

    def result(self, timeout: float | None = None) -> R_co:
        """Wait until the job has ended, and give what its handler returned.

        The result is read as the handler's return annotation says, where that is a type that JSON can hold.

        Args:
            timeout: seconds to wait; None waits for ever.

        Raises:
            JobFailed: it ended failed; `error_code`, `error_type` and `error_message` say why.
            JobCancelled: it was cancelled, or it expired.
            ResultTimeout: it had not ended in time; it is a TimeoutError too.
            JobNotFound: its retention has passed.
            SyncInsideLoop: an event loop runs here; await `aresult`.
        """
        seconds = _timeout(timeout)
        return self._read(self._way.call(lambda client: client.wait(self._id, seconds), "aresult()"))

    async def aresult(self, timeout: float | None = None) -> R_co:  # noqa: ASYNC109 - its error says more
        """As `result`, without blocking."""
        seconds = _timeout(timeout)
        return self._read(await self._way.acall(lambda client: client.wait(self._id, seconds)))

    def _read(self, job: Job) -> R_co:
        """The result of an ended job."""
        if job.status is Status.COMPLETED:
            result: R_co = self._decode(job.result or "null")
            return result
        error = job.error
        if job.status is Status.CANCELLED:
            raise JobCancelled(f"Job {job.id} was cancelled.", why=error.message if error is not None else "")
        if error is None:
            raise JobFailed(f"Job {job.id} failed.")
        raise JobFailed(
            f"Job {job.id} failed after {job.attempt} of {job.max_attempts} attempts.",
            why=f"{error.code} {error.type}: {error.message}",
            error_code=error.code,
            error_type=error.type,
            error_message=error.message,
        )

    def __repr__(self) -> str:
        return f"Handle({self._id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and self._id == other.id

    def __hash__(self) -> int:
        return hash(self._id)


def _timeout(value: object) -> float | None:
    return None if value is None else options.seconds_of("timeout", value)
