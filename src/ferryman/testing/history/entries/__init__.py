"""What happened, as those saw it who took part: the entries of a history.

Nobody here is the store. Clients note what they asked and were answered, handlers note on their own that
they start and end, nodes note what they asked of the store and what it answered, whoever injects faults
notes those. A checker needs no more than that and the final state.

In a simulation an entry marked "takes effect" stands where the store did it, even if the answer was lost
afterwards. Between real processes nobody can see that: it stands where the answer was read, and is missing
where there was none (see `History.exact`).
"""

from __future__ import annotations

from typing import Final

import msgspec

from ferryman.testing.history.entries.clients import (
    Answered,
    Asked,
    CancelAnswered,
    CancelAsked,
    Looked,
    RetryAnswered,
    RetryAsked,
    Verdict,
)
from ferryman.testing.history.entries.entry import Entry, RunKey, fields
from ferryman.testing.history.entries.faults import (
    IN_A_TRANSACTION,
    IN_FLIGHT,
    Calm,
    Faulted,
    Killed,
    Paused,
    ReadOnly,
    Restarted,
    Resumed,
    Spawned,
    Stepped,
    Stopped,
    Stopping,
)
from ferryman.testing.history.entries.handlers import Committing, Ended, How, Started
from ferryman.testing.history.entries.keys import KeyAnswered, KeyAsked, KeyTook, Wish
from ferryman.testing.history.entries.nodes import (
    CancelTook,
    Claimed,
    ClaimedRun,
    Claiming,
    Committed,
    Found,
    Inserted,
    Passed,
    PromoteTook,
    Registered,
    Released,
    Replied,
    Rescued,
    Undone,
    Writing,
    WrittenRun,
    Wrote,
)
from ferryman.testing.history.entries.rules import HeldBack, RuleAnswered, RuleAsked, RuleTook

__all__ = [
    "IN_A_TRANSACTION",
    "IN_FLIGHT",
    "Answered",
    "AnyEntry",
    "Asked",
    "Calm",
    "CancelAnswered",
    "CancelAsked",
    "CancelTook",
    "Claimed",
    "ClaimedRun",
    "Claiming",
    "Committed",
    "Committing",
    "Ended",
    "Entry",
    "Faulted",
    "Found",
    "HeldBack",
    "How",
    "Inserted",
    "KeyAnswered",
    "KeyAsked",
    "KeyTook",
    "Killed",
    "Looked",
    "Passed",
    "Paused",
    "PromoteTook",
    "ReadOnly",
    "Registered",
    "Released",
    "Replied",
    "Rescued",
    "Restarted",
    "Resumed",
    "RetryAnswered",
    "RetryAsked",
    "RuleAnswered",
    "RuleAsked",
    "RuleTook",
    "RunKey",
    "Spawned",
    "Started",
    "Stepped",
    "Stopped",
    "Stopping",
    "Undone",
    "Verdict",
    "Wish",
    "Writing",
    "WrittenRun",
    "Wrote",
    "fields",
    "from_line",
    "to_line",
]

AnyEntry = (
    Asked
    | Answered
    | CancelAsked
    | CancelAnswered
    | RetryAsked
    | RetryAnswered
    | RuleAsked
    | RuleAnswered
    | KeyAsked
    | KeyAnswered
    | Looked
    | Started
    | Ended
    | Committing
    | Registered
    | Claiming
    | Claimed
    | Passed
    | Found
    | Undone
    | Writing
    | Wrote
    | Committed
    | Released
    | Inserted
    | CancelTook
    | PromoteTook
    | Replied
    | Rescued
    | RuleTook
    | HeldBack
    | KeyTook
    | Spawned
    | Killed
    | Stopping
    | Stopped
    | Paused
    | Resumed
    | Stepped
    | Faulted
    | Restarted
    | ReadOnly
    | Calm
)

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[AnyEntry]] = msgspec.json.Decoder(AnyEntry)


def to_line(entry: AnyEntry) -> bytes:
    """An entry as one line of JSON, with its newline."""
    return _encoder.encode(entry) + b"\n"


def from_line(line: bytes) -> AnyEntry:
    """The entry of a line.

    Raises:
        msgspec.ValidationError: the line is not whole, or no entry.
    """
    return _decoder.decode(line)
