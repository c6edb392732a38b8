"""The words of which the forms of requests are made, as the OpenAPI document tells them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from ferryman.domain.filters import MAX_TEXT
from ferryman.domain.options import COUNT_MAX, MAX_ATTEMPTS, MAX_DELAY, MAX_TAGS, RATE_MAX


def text(
    pattern: str, min_length: int | None = None, max_length: int | None = None, description: str | None = None
) -> Meta:
    """A text that looks so; only the document has to know how.

    Told as `Meta(pattern=)`, msgspec 0.22 breaks its memory where such a text or something else may stand, and the
    process dies when it ends.
    """
    schema = {"pattern": pattern}
    return Meta(min_length=min_length, max_length=max_length, description=description, extra_json_schema=schema)


Id = Annotated[str, text(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
GroupId = Annotated[str, text(pattern="^[0-9a-f]{16}$")]
NewId = Annotated[
    str,
    text(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        description="A UUID of version 7 that the client makes: sent again, the job is not stored again.",
    ),
]
QueueName = Annotated[str, text(pattern="^[A-Za-z0-9_.-]{1,128}$")]
Name = Annotated[str, text(pattern="^[A-Za-z0-9_.:-]{1,128}$")]
Delay = Annotated[float, Meta(ge=0, le=MAX_DELAY, description="In so many seconds.")]
Timeout = Annotated[float, Meta(gt=0, le=MAX_DELAY, description="Seconds that one run may take.")]
Priority = Annotated[int, Meta(ge=0, le=9, description="0 runs first.")]
Attempts = Annotated[int, Meta(ge=1, le=MAX_ATTEMPTS)]
Count = Annotated[int, Meta(ge=1, le=COUNT_MAX)]
Rate = (
    Annotated[float, Meta(gt=0, le=RATE_MAX, description="So many a second.")]
    | Annotated[str, text(pattern=r"^\d{1,7}(\.\d{1,6})?(/[smhd])?$", description="Such as 20/s, 5/m or 100/h.")]
)
NO_NUL: Final = "^[^\\u0000]*$"
Text = Annotated[str, text(min_length=1, pattern=NO_NUL)]
Texts = Text | Annotated[list[Text], Meta(min_length=1)]
"""One text, or several that mean "or"."""
FilterText = Annotated[
    str,
    text(
        min_length=1,
        max_length=MAX_TEXT,
        pattern=NO_NUL,
        description="Terms that all must hold, such as status:failed type:mail.*; see docs/filters.md.",
    ),
]
DryRun = Annotated[bool, Meta(description="Change nothing, and say how many jobs are meant.")]
UniqueKey = Annotated[str, text(min_length=1, max_length=256, pattern=NO_NUL)]
JobKey = Annotated[str, text(min_length=1, max_length=200, pattern=NO_NUL)]
Tag = Annotated[str, text(min_length=1, max_length=64, pattern=NO_NUL)]
Tags = Annotated[list[Tag], Meta(max_length=MAX_TAGS)]
Retriable = Literal["failed", "cancelled"]
Waiting = Literal["waiting", "scheduled", "pending"]
OnConflict = Literal["error", "return"]
