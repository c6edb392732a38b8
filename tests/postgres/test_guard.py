"""The guard tells once that the server accepts connections, however its log arrives."""

from __future__ import annotations

import os
import subprocess
import tempfile

import pytest

from tests.postgres.guard import READY, Guard

LINE = b"LOG:  database system is ready to accept connections\n"


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([LINE], READY, id="at once"),
        pytest.param([LINE[at : at + 1] for at in range(len(LINE))], READY, id="byte by byte"),
        pytest.param([LINE, b"LOG:  a process crashed\n", LINE], READY, id="again after a crash"),
        pytest.param([b"LOG:  database system is starting up\n"], b"", id="not yet"),
    ],
)
def test_readiness_is_told_once(chunks: list[bytes], expected: bytes) -> None:
    answers, told = os.pipe()
    with subprocess.Popen(["true"]) as server, tempfile.TemporaryFile() as log:
        guard = Guard(server, 0, log.fileno(), told)
        for chunk in chunks:
            guard._note(chunk)
        os.close(told)
        assert os.read(answers, 10) == expected
        log.seek(0)
        assert log.read() == b"".join(chunks)
    os.close(answers)
