"""Lines out of pieces."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import BodyTooLarge
from ferryman.http.ndjson import Lines

pytestmark = pytest.mark.anyio

LIMIT = 10


class Pieces:
    """Gives pieces, and counts them."""

    def __init__(self, *pieces: bytes) -> None:
        self.left = list(pieces)

    async def read(self) -> bytes | None:
        return self.left.pop(0) if self.left else None


async def numbered(*pieces: bytes) -> list[tuple[int, bytes]]:
    lines = Lines(Pieces(*pieces).read, LIMIT)
    found: list[tuple[int, bytes]] = []
    while (line := await lines.next()) is not None:
        found.append((lines.number, line))
    assert await lines.next() is None
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", []),
        (b"\n", []),
        (b"\n\r\n \t\n", []),
        (b"a", [(1, b"a")]),
        (b"a\n", [(1, b"a")]),
        (b"a\nb", [(1, b"a"), (2, b"b")]),
        (b"a\r\n\r\n\nb \r\n", [(1, b"a"), (4, b"b")]),
        (b"0123456789\r\n0123456789", [(1, b"0123456789"), (2, b"0123456789")]),
        ("\u00e4\n\u00f6\n".encode(), [(1, b"\xc3\xa4"), (2, b"\xc3\xb6")]),
    ],
)
async def test_lines_are_numbered_wherever_the_pieces_end(
    body: bytes, found: list[tuple[int, bytes]], size: int
) -> None:
    assert await numbered(*(body[at : at + size] for at in range(0, len(body), size))) == found


@pytest.mark.parametrize("size", [1, 4, 100])
async def test_a_line_that_is_too_long_is_named_once_those_before_it_were_given(size: int) -> None:
    body = b"a\n\nb\n" + b"x" * (LIMIT + 1) + b"\nc\n"
    lines = Lines(Pieces(*(body[at : at + size] for at in range(0, len(body), size))).read, LIMIT)
    assert [await lines.next(), await lines.next()] == [b"a", b"b"]
    with pytest.raises(BodyTooLarge, match=r"Line 4 has more than 10 bytes"):
        await lines.next()
    assert lines.number == 4


async def test_a_line_without_an_end_is_not_held() -> None:
    pieces = Pieces(*[b"x" * LIMIT] * 100)
    with pytest.raises(BodyTooLarge):
        await Lines(pieces.read, LIMIT).next()
    assert len(pieces.left) == 98


async def test_no_piece_is_read_before_it_is_needed() -> None:
    pieces = Pieces(b"a\nb\n", b"c\n")
    lines = Lines(pieces.read, LIMIT)
    assert [await lines.next(), await lines.next()] == [b"a", b"b"]
    assert len(pieces.left) == 1
