"""The memory store's tables as the model keeps them: pending jobs stand in the order of transactions, and nodes live by
the times of their beats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ferryman.domain.claim import ClaimRequest
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import Lane
from ferryman.domain.limits import Bounds
from ferryman.domain.state import Status
from ferryman.store.memory import MemoryStore
from ferryman.store.memory.gates import GateRow
from ferryman.store.memory.liveness import Watch
from ferryman.store.memory.rows import JobRow, NodeRow
from ferryman.store.memory.rules import Rules
from ferryman.store.memory.tables import Tables
from ferryman.store.protocol import Clock, NodeInfo, Retention
from tests.simulation.postgres.cursor import Key


class ModelTables(Tables):
    """What has been committed."""

    def __init__(self) -> None:
        super().__init__()
        self.xid = 0
        """The transaction whose effect is being written."""
        self.places: dict[str, Key] = {}
        """Where each pending job stands in its lane."""
        self.chosen: list[JobRow] = []
        """What the claim whose effect is being written has taken."""
        self._touched: set[str] = set()

    # -- gates -----------------------------------------------------------------------------------

    def let_in(self, now: int) -> int:
        """Nobody yet: that is for a transaction of its own, which has to know at which gates."""
        self._touched |= self.gates.touched
        self.gates.touched.clear()
        return 0

    def take_touched(self) -> set[str]:
        """The keys of the gates at which the transaction whose effect is being written may have made room."""
        touched, self._touched = self._touched, set()
        return touched

    def let_in_at(self, keys: Iterable[str], now: int) -> int:
        """Let in who may go at these gates, as far as they are."""
        self.gates.look_at(*keys)
        return super().let_in(now)

    def overlooked(self, now: int) -> set[str]:
        """The keys before whose gates somebody waits who may go, as it seems."""
        return {key for key, row in self.gates.rows.items() if row.line and _seems_open(row, now)}

    # -- lanes -----------------------------------------------------------------------------------

    def in_order(self, lane: Lane) -> list[JobRow]:
        """The pending jobs of a lane."""
        return sorted(self.ready[lane].values(), key=lambda row: self.places[row.job.id])

    def candidates(self, request: ClaimRequest, lanes: Iterable[Lane]) -> list[JobRow]:
        """What the look of this claim has found; nobody else could touch it since."""
        chosen, self.chosen = self.chosen, []
        return chosen

    def _leave(self, row: JobRow) -> None:
        super()._leave(row)
        self.places.pop(row.job.id, None)

    def _arrive(self, row: JobRow, now: int, due: int | None) -> None:
        super()._arrive(row, now, due)
        if row.status is Status.PENDING:
            self.places[row.job.id] = (self.xid, row.arrival)


def _seems_open(row: GateRow, now: int) -> bool:
    width = row.gate.rule.width
    if row.gate.paused or (row.due is not None and row.due > now):
        return False
    return width is None or len(row.slots) < width


class ModelRules(Rules):
    """What has been committed; a claim that commits goes by what its look has found, which may be older."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self.found: tuple[Mapping[int, Lane], Bounds] | None = None
        """For the claim whose effect is being written: the lanes that were open, and how much they might give."""

    def open(self, lanes: Mapping[int, Lane]) -> Mapping[int, Lane]:
        """As ever, or as the look has found them."""
        return super().open(lanes) if self.found is None else self.found[0]

    def bounds(self, lanes: Mapping[int, Lane], idle: int, now: int) -> Bounds:
        """As ever, or as the look has found them."""
        return super().bounds(lanes, idle, now) if self.found is None else self.found[1]


class Beats(Watch):
    """Who is alive, by the server's clock: a beat is written with its time."""

    def __init__(self) -> None:
        super().__init__(lambda _node: False)
        self.latest: dict[int, float] = {}

    def dead(self, nodes: Iterable[NodeRow], monotonic: float, lease: float) -> list[NodeRow]:
        """The nodes that have retired, or whose last beat is older than the lease."""
        return [node for node in nodes if not node.live or monotonic - self.latest[node.number] >= lease]


class ModelMemory(MemoryStore):
    """The meaning of every verb, over those tables."""

    def __init__(self, clock: Clock, ids: IdMinter, retention: Retention) -> None:
        self.tables = ModelTables()
        super().__init__(clock, ids, retention, tables=self.tables)
        self._rules = self.ruling = ModelRules(self.tables)
        self._beats = Beats()
        self._watch = self._beats

    async def register(self, node: NodeInfo, now: int) -> int:
        """As ever; it counts as a beat."""
        number = await super().register(node, now)
        self._beats.latest.setdefault(number, self._clock.monotonic())
        return number

    def beat(self, node: int) -> bool:
        """As ever."""
        lives = super().beat(node)
        if lives:
            self._beats.latest[node] = self._clock.monotonic()
        return lives

    def _draw(self, lanes: Iterable[Lane], request: ClaimRequest, now: int) -> None:
        """Who claims has drawn before, in a transaction of its own."""

    def draw(self, request: ClaimRequest, now: int) -> None:
        """That one."""
        self.tables.draw(self._rules.open(self.tables.lanes_for(request)).values(), request, now)

    @property
    def are_keys_taking_turns(self) -> bool:
        """Whether a claim has to draw first."""
        return any(row.line and row.gate.rule.share is not None for row in self.tables.gates.rows.values())

    def allowing(self, request: ClaimRequest, now: int) -> tuple[Mapping[int, Lane], Bounds]:
        """The lanes that a claim may look at, by their numbers, and how much they may give."""
        lanes = self._rules.open(self.tables.lanes_for(request))
        return lanes, self._rules.bounds(lanes, request.idle, now)

    def is_bounded(self, request: ClaimRequest) -> bool:
        """Whether a claim is under limits."""
        lanes, bounds = self.allowing(request, 0)
        return any(bounds.over(number) for number in lanes)

    def require_live(self, node: int) -> None:
        """Raises NodeNotLive: the node was rescued or never registered."""
        self._live(node)
