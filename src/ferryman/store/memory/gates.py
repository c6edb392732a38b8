"""The gates of a memory store: who stands before each, who has a slot, and who may go."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

import msgspec

from ferryman.domain import gates
from ferryman.domain.gates import Crowd, Gate, Look, Newest, Went
from ferryman.domain.job import Lane, NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.state import Status
from ferryman.store.gating import KeyStatus
from ferryman.store.memory.shares import Shares


class GateRow(msgspec.Struct):
    """A gate, and the places of its jobs. A job that comes back takes the place that it had."""

    gate: Gate = Gate()
    line: dict[str, int] = {}
    """Who stands before it: id -> place."""
    slots: dict[str, int] = {}
    """Who is behind it."""
    failed: set[str] = set()
    """Those behind it that have failed, and for which a sequence waits."""
    newest: Newest | None = None
    due: int | None = None
    """When a token comes for those who wait."""

    @property
    def is_deserted(self) -> bool:
        """Whether it has nobody."""
        return not self.line and not self.slots


class Gates:
    """Every gate in use. `touched` are the keys whose gates may have somebody to let in."""

    def __init__(self, is_unclaimed: Callable[[str], bool], lane_of: Callable[[str], Lane]) -> None:
        """Each says something of a job by its id."""
        self._is_unclaimed = is_unclaimed
        self._lane_of = lane_of
        self.rows: dict[str, GateRow] = {}
        self.touched: set[str] = set()
        self._shares = Shares()
        self._places = 0

    def made(self, key: str) -> GateRow:
        """The gate of a key, made if it is new; it is looked at before the verb ends."""
        self.touched.add(key)
        return self.rows.setdefault(key, GateRow())

    def look_at(self, *keys: str | None) -> None:
        """These gates, as far as they are, are looked at before the verb ends: those of all jobs of which a verb
        speaks, since whoever spoke of them before may have died before it let anybody in."""
        self.touched.update(key for key in keys if key is not None and key in self.rows)

    def of(self, job: NewJob) -> GateRow | None:
        """The gate of a job, if it has a key that is in use."""
        return None if job.key is None else self.rows.get(job.key)

    # -- jobs come and go ------------------------------------------------------------------------

    def way(self, job: NewJob) -> Status:
        """Where a job that is due goes: to its lane, or before its gate."""
        if job.key is None:
            return Status.PENDING
        row = self.of(job)
        return Status.PENDING if row is not None and job.id in row.slots else Status.WAITING

    def stand(self, job: NewJob, key: str) -> None:
        """A job comes to stand before its gate, behind all others unless it had a place."""
        row = self.made(key)
        if job.id not in row.line:
            self._places += 1
            row.line[job.id] = self._places
        if job.gate is not None and (row.newest is None or job.id > row.newest.id):
            row.newest = Newest(job.id, job.gate)

    def step_out(self, job: NewJob) -> None:
        """A job stands before its gate no more."""
        assert job.key is not None
        self.rows[job.key].line.pop(job.id, None)

    def ended(self, job: NewJob, status: Status) -> Status:
        """The run of a job led to `status`: it keeps its slot or not. Returns where it goes."""
        row = self.of(job)
        if row is None:
            return status
        self.look_at(job.key)
        if row.gate.rule.keeps_slot(status):
            if status is Status.FAILED:
                row.failed.add(job.id)
            return status
        place = row.slots.pop(job.id)
        if status is not Status.PENDING:
            return status
        row.line[job.id] = place
        return Status.WAITING

    def sent_back(self, job: NewJob) -> None:
        """A person retries a job: if its sequence waits for it, it does so because the job is to run again."""
        row = self.of(job)
        if row is not None:
            row.failed.discard(job.id)

    def left(self, job: NewJob) -> None:
        """A job is gone for good, and its slot is free."""
        row = self.of(job)
        if row is not None and row.slots.pop(job.id, None) is not None:
            self.look_at(job.key)
            row.failed.discard(job.id)

    # -- letting in ------------------------------------------------------------------------------

    def let_in(self, now: int) -> tuple[list[str], bool]:
        """Give slots to those who may go, at the gates that were touched; where a key has a share, they take turns.

        Returns:
            Their ids in the order of their places, and whether a key has news for claims.
        """
        touched, self.touched = self.touched, set()
        places: list[tuple[str, int]] = []
        news = False
        for key in touched:
            row = self.rows[key]
            look = self._look(row, now)
            if look.gate.rule.share is None:
                places += _enter(row, look, list(row.line), now)
                continue
            _enter(row, look, [], now)
            if look.room:
                news |= self._shares.join(key, set(map(self._lane_of, row.line)))
        return [id for id, _ in sorted(places, key=itemgetter(1))], news

    def draw(self, lane: Lane, count: int, now: int) -> list[str]:
        """Give slots to the next `count` of a lane whose keys take turns. Returns their ids in their order."""

        def take(key: str, most: int) -> list[str]:
            row = self.rows[key]
            here = [id for id in row.line if self._lane_of(id) == lane]
            return [id for id, _ in _enter(row, self._look(row, now), here, now, most)]

        return self._shares.draw(lane, count, self._share, take)

    def _share(self, key: str) -> int | None:
        row = self.rows.get(key)
        return None if row is None else row.gate.rule.share

    def _look(self, row: GateRow, now: int) -> Look:
        """A gate by now, under the rule that the newest job brings."""
        newest, row.newest = row.newest, None
        crowd = self.crowd(row, row.gate.rule, row.gate.rule if newest is None else newest.rule)
        return Look(gates.refilled(gates.offered(row.gate, newest, crowd, now), now), crowd)

    def crowd(self, row: GateRow, *rules: GateRule) -> Crowd:
        """Who is behind a gate. Only one with a rate, by any of these rules, has to know who is unclaimed."""
        if all(rule.rate is None for rule in rules):
            return Crowd(len(row.slots))
        return Crowd(len(row.slots), sum(map(self._is_unclaimed, row.slots)))

    def next_due(self) -> int | None:
        """When the next token comes for which somebody waits."""
        return min((row.due for row in self.rows.values() if row.due is not None), default=None)

    def drop_idle(self, now: int) -> None:
        """Forget the gates that are as good as new."""
        for key in [key for key, row in self.rows.items() if row.is_deserted and row.gate.as_new(now)]:
            del self.rows[key]
            self._shares.forget(key)


def _enter(row: GateRow, look: Look, line: list[str], now: int, most: int = gates.MOST) -> list[tuple[str, int]]:
    """Those of a line who may go through a gate that was looked at, with their places."""
    line.sort(key=row.line.__getitem__)
    entering = [(id, row.line.pop(id)) for id in line[: min(most, look.room)]]
    row.slots.update(entering)
    row.gate, row.due = gates.left(look, Went(len(entering), bool(row.line)), now)
    return entering


def status_of(key: str, row: GateRow) -> KeyStatus:
    """A key as it is read."""
    return KeyStatus(
        key=key,
        rule=row.gate.rule,
        pinned=row.gate.pinned,
        paused=row.gate.paused,
        slots=len(row.slots),
        waiting=len(row.line),
        held_by=tuple(sorted(row.failed)),
    )
