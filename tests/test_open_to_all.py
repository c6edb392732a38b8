"""What other machines can reach is not open to everybody, unless somebody says so."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ferryman import main
from ferryman.app import Ferryman
from ferryman.cli.report import exit_code
from ferryman.domain.errors import OpenToAll
from ferryman.embed import running
from ferryman.settings import Settings
from ferryman.supervise.role import Role
from tests.engine.world import registry_of

pytestmark = pytest.mark.anyio
EVERYWHERE = "0.0.0.0"


async def noop() -> None:
    pass


def server(tmp_path: Path, **more: Any) -> main.Server:
    settings = Settings(**{"port": 0, "database_url": f"sqlite:///{tmp_path}/jobs.db", **more})
    return main.Server(settings, registry_of(noop))


@asynccontextmanager
async def started(server: main.Server) -> AsyncIterator[httpx.AsyncClient]:
    """Start it, and talk to it."""
    await server.start()
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server.asgi), base_url="http://localhost") as http:
            yield http
    finally:
        await server.stop()


async def make_key(tmp_path: Path, *scopes: str, ended: bool = False) -> dict[str, str]:
    """As `ferryman api-keys add` does; gives the header that shows it."""
    client = server(tmp_path).client
    await client.open()
    issued = await client.access.add("web", scopes)
    if ended:
        await client.access.revoke("web")
    await client.close()
    return {"Authorization": f"Bearer {issued.text.reveal()}"}


async def test_an_address_for_others_is_refused_without_a_key(tmp_path: Path) -> None:
    refused = server(tmp_path, host=EVERYWHERE)
    with pytest.raises(OpenToAll) as caught:
        await refused.start()
    assert refused.node.id is None, "nothing was claimed"
    assert refused.url == "", "and nobody answered"
    for way in ("ferryman api-keys add", "HOST=127.0.0.1", "ALLOW_OPEN=true"):
        assert way in caught.value.hint
    assert exit_code(caught.value) == 2
    assert await refused.stop() == main.CLEAN


async def test_the_port_of_a_refused_start_is_free_again(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((EVERYWHERE, 0))
        port = taken.getsockname()[1]
    for _ in range(2):
        with pytest.raises(OpenToAll):
            await server(tmp_path, host=EVERYWHERE, port=port).start()


async def test_a_key_that_has_ended_keeps_nobody_out(tmp_path: Path) -> None:
    await make_key(tmp_path, "admin", ended=True)
    with pytest.raises(OpenToAll):
        await server(tmp_path, host=EVERYWHERE).start()


async def test_a_fleet_is_refused_before_it_is_started(tmp_path: Path) -> None:
    refused = server(tmp_path, host=EVERYWHERE, processes=2)
    with pytest.raises(OpenToAll):
        await refused.start()
    assert refused.fleet is not None
    assert refused.fleet.workers == 0


async def test_with_a_key_it_is_served_to_who_has_it(tmp_path: Path) -> None:
    key = await make_key(tmp_path, "read")
    async with started(server(tmp_path, host=EVERYWHERE)) as http:
        assert (await http.get("/jobs")).status_code == 401
        assert (await http.get("/jobs", headers=key)).status_code == 200
        assert (await http.get("/health")).status_code == 200


async def test_allow_open_is_open_until_there_is_a_key(tmp_path: Path) -> None:
    async with started(server(tmp_path, host=EVERYWHERE, allow_open=True)) as http:
        assert (await http.get("/jobs")).status_code == 200
    await make_key(tmp_path, "read")
    async with started(server(tmp_path, host=EVERYWHERE, allow_open=True)) as http:
        assert (await http.get("/jobs")).status_code == 401


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
async def test_this_machine_alone_needs_no_key(tmp_path: Path, host: str) -> None:
    if host == "::1":
        with contextlib.closing(socket.socket(socket.AF_INET6)) as probe:
            try:
                probe.bind((host, 0))
            except OSError:
                pytest.skip("no IPv6 here")
    async with started(server(tmp_path, host=host)) as http:
        assert (await http.get("/jobs")).status_code == 200


async def test_who_names_this_machine_otherwise_is_refused_unless_that_was_allowed(tmp_path: Path) -> None:
    named = {"Host": "evil.example:8080"}
    async with started(server(tmp_path)) as http:
        assert (await http.get("/jobs", headers=named)).json()["code"] == "FM609"
    async with started(server(tmp_path, allow_open=True)) as http:
        assert (await http.get("/jobs", headers=named)).status_code == 200


async def test_a_process_without_http_has_no_address_to_be_refused(tmp_path: Path) -> None:
    settings = Settings(host=EVERYWHERE, database_url=f"sqlite:///{tmp_path}/jobs.db")
    worker = main.Server(settings, registry_of(noop), Role(http=False))
    await worker.start()
    await worker.stop()


async def test_inside_another_application_it_is_open_until_there_is_a_key(tmp_path: Path) -> None:
    app = Ferryman(f"sqlite:///{tmp_path}/jobs.db")
    for expected in (200, 401):
        async with running(app, host=EVERYWHERE) as embedded:
            transport = httpx.ASGITransport(embedded.asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://site") as http:
                assert (await http.get("/jobs")).status_code == expected
        if expected == 200:
            await make_key(tmp_path, "read")


def test_serve_says_the_ways_out_and_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text("from ferryman import Ferryman\napp = Ferryman()\n")
    command = [sys.executable, "-m", "ferryman", "serve", "jobs.py", "--host", EVERYWHERE, "--port", "0"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 2
    assert told.stdout == ""
    assert "FM123" in told.stderr
    assert "ferryman api-keys add" in told.stderr
