"""Ports that stay ours while nobody listens on them."""

from __future__ import annotations

import random
import socket
from typing import Final

HOST: Final = "127.0.0.1"
LOWEST, HIGHEST = 15_000, 32_000
"""Below those that the kernel hands out by itself (32768 and up on Linux, 49152 elsewhere): a server that is down
would else find its port taken by somebody's connection, or a client on this machine would connect to itself."""
TRIES: Final = 100


def free_port(dice: random.Random) -> int:
    """A port that nobody listens on now. Somebody else may still be quicker to take it."""
    for _ in range(TRIES):
        port = dice.randrange(LOWEST, HIGHEST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
    raise OSError(f"of {TRIES} ports between {LOWEST} and {HIGHEST} none was free")
