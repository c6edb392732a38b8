"""Bytes that no client in its right mind sends, made by a seeded generator."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

JSON: Final = b"content-type: application/json\r\n"
PATHS: Final = (
    b"/jobs",
    b"/jobs/batch",
    b"/jobs/import",
    b"/jobs/retry",
    b"/jobs/purge",
    b"/jobs?limit=1",
    b"/health",
    b"/metrics",
    b"/keys/a%0Ab",
    b"/queues/mail/limit",
    b"/schedules/nightly",
    b"/openapi.json",
    b"/nodes",
    b"/types",
    b"/rules",
    b"/jobs/01890a5d-ac96-774b-bcce-b302099a8057",
    b"/jobs/x/cancel",
)
METHODS: Final = (
    b"GET",
    b"POST",
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"HEAD",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"PRI",
    b"get",
)
ODD_PATHS: Final = (
    b"/jobs/%00",
    b"/jobs/%ff%fe",
    b"/jobs/..%2f..%2fetc/passwd",
    b"/../../etc/passwd",
    b"//jobs",
    b"/jobs/%zz",
    b"/jobs/%",
    b"*",
    b"http://other/jobs",
    b"/jobs?limit=99999999999999999999",
    b"/jobs?limit=-1",
    b"/jobs?cursor=%00",
    b"/jobs?\xff=1",
    b"/jobs?" + b"a=1&" * 2000,
    b"/keys/" + b"k" * 4000,
    b"/jobs/\xc3\xa9",
    b"/queues/%F0%9F%92%A9/limit",
    b"",
)
ODD_HEADERS: Final = (
    b"content-length: 5\r\ncontent-length: 6\r\n",
    b"transfer-encoding: chunked\r\ncontent-length: 4\r\n",
    b"transfer-encoding: gzip, chunked\r\n",
    b"transfer-encoding: chunked, identity\r\n",
    b"content-length: -1\r\n",
    b"content-length: 18446744073709551616\r\n",
    b"content-length: 0x10\r\n",
    b"x: a\rb\r\n",
    b"x: \x00\r\n",
    b" folded: 1\r\n",
    b"x: 1\r\n\tfolded\r\n",
    b": nameless\r\n",
    b"x" * 5000 + b": 1\r\n",
    b"many: 1\r\n" * 3000,
    b"long: " + b"y" * 40_000 + b"\r\n",
    b"host: other\r\n",
    b"expect: 100-continue\r\n",
    b"expect: magic\r\n",
    b"upgrade: h2c\r\nconnection: upgrade\r\n",
    b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: x\r\n",
    b"accept: \xff\xfe\r\n",
    b"accept: " + b"a/b;q=," * 900,
    b"idempotency-key: \x80\r\n",
    b'idempotency-key: "\r\n',
    b"x-request-id: a\tb\x7f\r\n",
    b"content-type: application/json; charset=utf-7\r\n",
    b"authorization: Bearer \xff\xff\r\n",
    b"prefer: wait=99999999999999\r\n",
    b'if-match: "\xff"\r\n',
    b"last-event-id: \x00\r\n",
)
ODD_BODIES: Final = (
    b"",
    b"{",
    b"\xff\xfe{}",
    b'{"type": "echo", "type": "echo"}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"9" * 5000,
    b'{"type": "echo", "priority": 1e999}',
    b'{"type": "echo", "payload": {"n": 123456789012345678901234567890}}',
    b'{"type": "echo", "payload": {"s": "\\ud800"}}',
    b'{"type": "echo", "payload": {"s": "\\u0000"}}',
    b'{"type": NaN}',
    b'{"type": "echo", "delay": -0.0}',
    b'{"type": "echo", "run_at": "9999-12-31T23:59:60Z"}',
    b"null",
    b'"text"',
    b"\x00" * 100,
    b'{"type": "' + b"e" * 100_000 + b'"}',
    b'{"type": "echo", "tags": ["' + b'","'.join([b"t"] * 5000) + b'"]}',
    b'{"jobs": [' + b"{}," * 3000 + b"{}]}",
    b'{"filter": {}, "confirm": null}',
    b"x" * 2_000_000,
    '{"тип": "ё"}'.encode("koi8-r"),
)
NO_HTTP: Final = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /health\r\n\r\n",
    b"\r\n\r\n\r\n",
    b"GET /health HTTP/9.9\r\nhost: localhost\r\n\r\n",
    b"\x00" * 500,
    b"GET  /health  HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"SSH-2.0-OpenSSH_9\r\n",
    b"GET /health HTTP/1.1\nhost: localhost\n\n",
    b"POST /jobs HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
)


class Generator:
    """Gives one hostile text of bytes after the other; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._kinds: Mapping[str, Callable[[], bytes]] = {
            "no HTTP": lambda: self._one(NO_HTTP),
            "odd path": lambda: self._request(path=self._one(ODD_PATHS)),
            "odd header": lambda: self._request(headers=self._one(ODD_HEADERS)),
            "odd body": lambda: self._request(method=b"POST", body=self._one(ODD_BODIES)),
            "odd chunks": self._chunked,
            "mutated": lambda: self._mutated(self._valid()),
            "cut off": self._cut,
            "two in one": lambda: self._valid() + self._request(headers=self._one(ODD_HEADERS)),
            "many in one": lambda: self._valid() * self._random.randint(2, 300),
            "random": lambda: self._random.randbytes(self._random.randint(1, 3000)),
        }

    def next(self) -> tuple[str, bytes]:
        """What kind it is, and the bytes."""
        kind = self._random.choice(list(self._kinds))
        return kind, self._kinds[kind]()

    def _one(self, of: Sequence[bytes]) -> bytes:
        return self._random.choice(of)

    def _request(
        self, method: bytes | None = None, path: bytes | None = None, headers: bytes = b"", body: bytes = b""
    ) -> bytes:
        method = method or self._one(METHODS)
        path = self._one(PATHS) if path is None else path
        length = b"content-length: %d\r\n" % len(body) if body else b""
        return b"%s %s HTTP/1.1\r\nhost: localhost\r\n%s%s%s\r\n%s" % (method, path, JSON, headers, length, body)

    def _valid(self) -> bytes:
        body = self._one((b'{"type": "echo"}', b'{"type": "echo", "payload": {"n": 1}, "tags": ["a"]}', b"{}"))
        return self._request(method=self._one((b"GET", b"POST")), body=body)

    def _chunked(self) -> bytes:
        """A chunked body whose sizes lie, now and then."""
        body = b""
        for _ in range(self._random.randint(1, 50)):
            piece = self._random.randbytes(self._random.randint(0, 20))
            size = len(piece) + self._random.choice((0, 0, 0, 1, -1, 2**31, 2**64))
            mark = self._one((b"%x\r\n%s\r\n", b"%x;ext=1\r\n%s\r\n", b"%x\n%s\n", b" %x\r\n%s\r\n"))
            body += mark % (max(size, 0), piece)
        end = self._one((b"0\r\n\r\n", b"0\r\nx: 1\r\n\r\n", b"", b"0\r\ncontent-length: 9\r\n\r\n"))
        return self._request(method=b"POST", headers=b"transfer-encoding: chunked\r\n") + body + end

    def _mutated(self, data: bytes) -> bytes:
        """The same, with a few bytes flipped, left out, said twice."""
        found = bytearray(data)
        for _ in range(self._random.randint(1, 6)):
            at = self._random.randrange(len(found))
            match self._random.randrange(3):
                case 0:
                    found[at] = self._random.randrange(256)
                case 1 if len(found) > 1:
                    del found[at]
                case _:
                    found[at:at] = found[at : at + self._random.randint(1, 30)]
        return bytes(found)

    def _cut(self) -> bytes:
        data = self._valid()
        return data[: self._random.randrange(1, len(data))]
