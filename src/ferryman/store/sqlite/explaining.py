"""What stands before a job."""

from __future__ import annotations

from typing import Final

import msgspec

from ferryman.domain.limits import Rule, limiting
from ferryman.store.explaining import AHEAD_MOST, HOLDERS_SHOWN, Held, Whereabouts
from ferryman.store.sqlite.keys import key
from ferryman.store.sqlite.people import standing
from ferryman.store.sqlite.rules import covered, use_of
from ferryman.store.sqlite.session import Session, encode

_ids: Final = msgspec.json.Decoder(list[str])


def whereabouts(session: Session, id: str) -> Whereabouts | None:
    """Those ahead of it, and the limits that it is under."""
    job = standing(session, id)
    if job is None:
        return None
    lane = session.lanes().by_number[job.lane]
    ahead = session.one("ahead", id=id, most=AHEAD_MOST + 1)
    assert ahead is not None
    limits = limiting(session.rules(), {job.lane: lane})
    status = None if job.key is None else key(session, job.key)
    return Whereabouts(ahead[0], [_holding(session, rule) for rule in limits], status)


def _holding(session: Session, rule: Rule) -> Held:
    lanes = encode(covered(session, rule)).decode()
    holders = session.document("holders", _ids, lanes=lanes, most=HOLDERS_SHOWN)
    return Held(use_of(session, rule), holders)
