"""Answers of the server as values; times are in microseconds, as everywhere in Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from ferryman.client.commanding import NodeJob
from ferryman.domain.audit import Deed
from ferryman.domain.errors import FerrymanError
from ferryman.domain.explain import Explanation
from ferryman.domain.job import Attempt, Job, JobError
from ferryman.domain.nodes import Condition
from ferryman.domain.state import Status
from ferryman.http.about import AboutJson
from ferryman.http.attempts import AttemptJson
from ferryman.http.audit import DeedJson
from ferryman.http.batch import IdsJson
from ferryman.http.counts import CountsJson
from ferryman.http.explanation import ExplanationJson
from ferryman.http.importing import ImportedJson
from ferryman.http.journal import ChangeJson
from ferryman.http.live import PulseJson
from ferryman.http.nodes import NodeJobJson, NodeJson
from ferryman.http.queues import Depth
from ferryman.http.remote.asking import Reply
from ferryman.http.remote.problems import Problem, error_from, error_of, stranger
from ferryman.http.stats import StatsJson
from ferryman.http.types import TypeJson
from ferryman.http.wire import JobJson, read_moment
from ferryman.store.protocol import Entry, NodeStatus

T = TypeVar("T")
S = TypeVar("S")

_NEXT: Final = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')


class _JobIn(JobJson):
    # msgspec reads no Raw that may also be None: null comes as the text null
    result: msgspec.Raw  # pyright: ignore[reportIncompatibleVariableOverride]


class _Batch(msgspec.Struct, frozen=True):
    jobs: tuple[msgspec.Raw, ...]


class _Stopped(msgspec.Struct, frozen=True):
    imported: int
    line: int


class _Id(msgspec.Struct, frozen=True):
    id: str


def job(reply: Reply) -> Job:
    """One job."""
    return read(reply, _JobIn, _job)


def jobs(reply: Reply) -> Sequence[Job]:
    """A page of jobs."""
    return read(reply, tuple[_JobIn, ...], lambda found: tuple(map(_job, found)))


def attempts(reply: Reply) -> Sequence[Attempt]:
    """The ended runs of a job."""
    return read(reply, tuple[AttemptJson, ...], lambda found: tuple(map(_attempt, found)))


def explanation(reply: Reply) -> Explanation:
    """Why a job has not started."""
    return read(reply, ExplanationJson, _explanation)


def nodes(reply: Reply) -> Sequence[NodeStatus]:
    """The processes that run jobs."""
    return read(reply, tuple[NodeJson, ...], lambda found: tuple(map(_node, found)))


def node(reply: Reply) -> NodeStatus:
    """One process that runs jobs."""
    return read(reply, NodeJson, _node)


def node_jobs(reply: Reply) -> Sequence[NodeJob]:
    """What a node holds."""
    return read(reply, tuple[NodeJobJson, ...], lambda found: tuple(map(_node_job, found)))


def queue(reply: Reply) -> Depth:
    """How many jobs stand in one place."""
    return read(reply, Depth, _as_it_is)


def queues(reply: Reply) -> Sequence[Depth]:
    """How many jobs stand where."""
    return read(reply, tuple[Depth, ...], _as_it_is)


def stats(reply: Reply) -> StatsJson:
    """What happened lately."""
    return read(reply, StatsJson, _as_it_is)


def counts(reply: Reply) -> CountsJson:
    """How many jobs there are."""
    return read(reply, CountsJson, _as_it_is)


def pulse(reply: Reply) -> PulseJson:
    """How many jobs there are now, and how many came and ended."""
    return read(reply, PulseJson, _as_it_is)


def change(reply: Reply) -> ChangeJson:
    """Something that has happened to a job."""
    return read(reply, ChangeJson, _as_it_is)


def types(reply: Reply) -> Sequence[TypeJson]:
    """What types declare."""
    return read(reply, tuple[TypeJson, ...], _as_it_is)


def about(reply: Reply) -> AboutJson:
    """What the server is."""
    return read(reply, AboutJson, _as_it_is)


def counters(reply: Reply) -> Mapping[str, int]:
    """What was counted, by name."""
    return read(reply, dict[str, int], _as_it_is)


def audit(reply: Reply) -> Sequence[Entry]:
    """What operators did."""
    return read(reply, tuple[DeedJson, ...], lambda found: tuple(map(_entry, found)))


def imported(reply: Reply) -> int:
    """How many jobs of an import are stored."""
    return read(reply, ImportedJson, lambda found: found.imported)


def stopped(reply: Reply, before: int) -> FerrymanError:
    """The error that ended an import, with a note of how far its chunk came, of which so many were imported before."""
    error = error_of(reply)
    try:
        told = msgspec.json.decode(reply.body, type=_Stopped)
    except msgspec.MsgspecError:
        return error
    found, number = before + told.imported, before + told.line
    error.add_note(f"Of this chunk {found} jobs were imported. The first one that was not is number {number} of it.")
    return error


def ids(reply: Reply) -> Sequence[str]:
    """The jobs of a batch that is stored as one, in order."""
    return read(reply, IdsJson, lambda found: tuple(found.ids))


def stored(reply: Reply, count: int) -> Sequence[str | FerrymanError]:
    """For each job of a batch the id of the job that stands for it, or why it was refused."""
    told = read(reply, _Batch, lambda found: tuple(map(_stored, found.jobs)))
    if len(told) != count:
        raise stranger(reply, f"It answered for {len(told)} of {count} jobs")
    return told


def next_page(reply: Reply) -> str | None:
    """The query of the next page, if there is one.

    Of the link only that: a proxy may show the API below another path, and a key is not taken to another server.
    """
    found = _NEXT.search(reply.headers.get("link", ""))
    return None if found is None else found[1].partition("?")[2]


def read(reply: Reply, kind: type[S], make: Callable[[S], T]) -> T:
    """What an answer holds. Raises RemoteError: it does not."""
    try:
        return make(msgspec.json.decode(reply.body, type=kind))
    except (msgspec.MsgspecError, ValueError) as error:
        wrong = str(error)
    raise stranger(reply, f"Its answer {reply.status} cannot be read ({wrong})")


def _as_it_is(found: T) -> T:
    return found


def moment(text: str | None) -> int | None:
    """A time in microseconds, if there is one. Raises ValueError."""
    return None if text is None else certain(text)


def certain(text: str) -> int:
    """A time in microseconds. Raises ValueError: the text is none."""
    found = read_moment(text)
    if found is None:
        raise ValueError(f"{text[:40]!a} is no time")
    return found


def _job(found: _JobIn) -> Job:
    error, status = found.error, Status(found.status)
    return Job(
        id=found.id,
        type=found.type,
        queue=found.queue,
        priority=found.priority,
        status=status,
        attempt=found.attempt,
        max_attempts=found.max_attempts,
        claim=found.claim,
        payload=bytes(found.payload).decode(),
        result=bytes(found.result).decode() if status is Status.COMPLETED else None,
        error=None if error is None else JobError(error.code, error.type, error.message),
        run_at=moment(found.run_at),
        created_at=certain(found.created_at),
        started_at=moment(found.started_at),
        finished_at=moment(found.finished_at),
        expires_at=moment(found.expires_at),
        worker_id=found.worker_id,
        node=found.node,
        unique_key=found.unique_key,
        tags=found.tags,
    )


def _attempt(found: AttemptJson) -> Attempt:
    return Attempt(
        number=found.claim,
        what=found.what,
        status=Status(found.status),
        attempt=found.attempt,
        error=found.error,
        started_at=moment(found.started_at),
        finished_at=certain(found.finished_at),
        worker_id=found.worker_id,
        node=found.node,
    )


def _explanation(found: ExplanationJson) -> Explanation:
    return Explanation(
        id=found.id,
        status=found.status,
        summary=found.summary,
        conditions=found.conditions,
        ahead=found.ahead,
        estimated_start=moment(found.estimated_start),
    )


def _node(found: NodeJson) -> NodeStatus:
    return NodeStatus(
        id=found.id,
        host=found.host,
        pid=found.pid,
        version=found.version,
        queues=None if found.queues is None else frozenset(found.queues),
        workers=found.workers,
        started_at=certain(found.started_at),
        ended_at=moment(found.ended_at),
        live=found.live,
        claimed=found.claimed,
        types=None if found.types is None else frozenset(found.types),
        wish=found.wish,
        condition=_condition(found),
    )


def _condition(found: NodeJson) -> Condition | None:
    """How it is; which jobs it runs is told at another place."""
    if found.beat_at is None or found.quiet is None or found.busy is None:
        return None
    return Condition(certain(found.beat_at), found.rss_bytes, found.quiet, found.busy)


def _node_job(found: NodeJobJson) -> NodeJob:
    return NodeJob(
        found.id, found.type, found.queue, found.worker_id, found.attempt, found.claim, certain(found.started_at)
    )


def _entry(found: DeedJson) -> Entry:
    deed = Deed(certain(found.at), found.actor, found.action, found.target, found.detail)
    return Entry(found.number, deed)


def _stored(entry: msgspec.Raw) -> str | FerrymanError:
    try:
        return msgspec.json.decode(entry, type=_Id).id
    except msgspec.ValidationError:
        return error_from(msgspec.json.decode(entry, type=Problem))
