"""The files of the dashboard: what is served, as what, for how long, and what pages made of them may do."""

from __future__ import annotations

import fnmatch
import gzip
import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from ferryman.domain.errors import StoreFailed
from ferryman.http.dashboard import FOLDER, HASHED, POLICY, Dashboard, shipped
from ferryman.http.openness import Open
from tests.http.world import Failing, World, is_problem, operations, talk

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
PAGE = b'<!doctype html><script type="module" src="./assets/main-1a2b.js"></script>' + b" " * 500
SCRIPT = b"export const words = [];\n" * 100
FILES = {
    "index.html": PAGE,
    "icon.svg": b"<svg/>",
    "assets/main-1a2b.js": SCRIPT,
    "assets/main-3c4d.css": b"body { margin: 0 }",
    "assets/LICENSE": b"MIT",
}
PATHS = ["/", *(f"/{name}" for name in FILES if name != "index.html")]
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture
def world() -> World:
    return World(dashboard=Dashboard(FILES))


@pytest.fixture(params=["", "/queue"])
async def site(world: World, request: pytest.FixtureRequest) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """Somebody who asks, and where the API is mounted."""
    prefix = str(request.param)
    async with talk(Starlette(routes=[Mount(prefix, world.api)]) if prefix else world.api) as http:
        yield http, prefix


async def test_each_file_is_served_as_it_is(site: tuple[httpx.AsyncClient, str]) -> None:
    http, prefix = site
    for path, body in zip(PATHS, FILES.values(), strict=True):
        answer = await http.get(f"{prefix}{path}")
        assert (answer.status_code, answer.content) == (200, body)


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/assets/main-1a2b.js", "text/javascript; charset=utf-8"),
        ("/assets/main-3c4d.css", "text/css; charset=utf-8"),
        ("/assets/LICENSE", "application/octet-stream"),
    ],
)
async def test_each_file_says_what_it_is(http: httpx.AsyncClient, path: str, media: str) -> None:
    assert (await http.get(path)).headers["content-type"] == media


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_get_without_the_body(http: httpx.AsyncClient, path: str) -> None:
    got, head = await http.get(path), await http.head(path)
    assert (head.status_code, head.content, head.headers) == (200, b"", got.headers)


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_else_can_be_done_with_a_file(http: httpx.AsyncClient, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert is_problem(await http.request(method, path), 405, "FM405")
    assert (await http.options(path)).headers["allow"] == "GET, HEAD, OPTIONS"


# -- for how long, and how small --------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_named_by_its_hash_is_kept_for_a_year_and_nothing_else(
    http: httpx.AsyncClient, path: str
) -> None:
    kept = (await http.get(path)).headers["cache-control"]
    assert kept == (FOREVER if path.startswith(f"/{HASHED}") else "no-cache")


@pytest.mark.parametrize("coding", ["gzip", "identity"])
@pytest.mark.parametrize("path", PATHS)
async def test_a_file_that_is_known_is_not_sent_again(http: httpx.AsyncClient, path: str, coding: str) -> None:
    tag = (await http.get(path, headers={"Accept-Encoding": coding})).headers["etag"]
    again = await http.get(path, headers={"Accept-Encoding": coding, "If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await http.get(path, headers={"Accept-Encoding": coding, "If-None-Match": '"0"'})
    assert other.status_code == 200


async def test_another_build_is_another_version(http: httpx.AsyncClient) -> None:
    tag = (await http.get("/")).headers["etag"]
    async with talk(World(dashboard=Dashboard({"index.html": PAGE + b"."})).api) as newer:
        assert (await newer.get("/", headers={"If-None-Match": tag})).status_code == 200


@pytest.mark.parametrize(
    ("said", "is_compressed"),
    [
        ("gzip, deflate, br, zstd", True), ("GZIP", True), ("*", True), ("br;q=1.0, gzip;q=0.5", True),
        (None, False), ("", False), ("br", False), ("gzip;q=0", False), ("gzip;q=0, *", False), ("*;q=0", False),
    ],
)  # fmt: skip
async def test_it_is_compressed_for_those_who_take_that(world: World, said: str | None, is_compressed: bool) -> None:
    transport = httpx.ASGITransport(world.api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        http.headers.pop("accept-encoding")
        answer = await http.get("/", headers={} if said is None else {"Accept-Encoding": said})
    assert answer.headers.get("content-encoding") == ("gzip" if is_compressed else None)
    assert answer.headers["vary"] == "accept-encoding"
    assert (int(answer.headers["content-length"]) < len(PAGE)) == is_compressed
    assert answer.content == PAGE


async def test_both_forms_of_a_file_are_told_apart(http: httpx.AsyncClient) -> None:
    tags = [(await http.get("/", headers={"Accept-Encoding": each})).headers["etag"] for each in ("gzip", "identity")]
    assert len(set(tags)) == 2


async def test_what_would_not_get_smaller_is_sent_as_it_is(http: httpx.AsyncClient) -> None:
    assert len(gzip.compress(FILES["icon.svg"])) > len(FILES["icon.svg"])
    assert "content-encoding" not in (await http.get("/icon.svg", headers={"Accept-Encoding": "gzip"})).headers


# -- what a page may do -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("known", [False, True])
async def test_every_file_says_what_it_may_do(http: httpx.AsyncClient, path: str, known: bool) -> None:
    headers = (await http.get(path, headers={"If-None-Match": "*"} if known else {})).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


def test_the_policy_lets_in_what_is_shipped_and_nothing_else() -> None:
    rules = {each.partition(" ")[0]: each.partition(" ")[2] for each in POLICY.split("; ")}
    assert set(rules.values()) == {"'none'", "'self'", "'script'"}
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert (rules["require-trusted-types-for"], rules["trusted-types"]) == ("'script'", "'none'")


# -- who, and where not -----------------------------------------------------------------------------


async def test_nobody_is_asked_for_a_key(world: World, http: httpx.AsyncClient) -> None:
    await world.key("read")
    for path in PATHS:
        assert (await http.get(path)).status_code == 200
    is_problem(await http.get("/jobs"), 401, "FM601")


async def test_a_page_under_a_made_name_is_shown_and_reads_nothing(world: World, http: httpx.AsyncClient) -> None:
    world.open_to = Open.HERE
    made = {"Host": "evil.example"}
    assert (await http.get("/", headers=made)).status_code == 200
    is_problem(await http.get("/jobs", headers=made), 403, "FM609")


async def test_a_store_that_fails_does_not_take_the_page_along(world: World) -> None:
    async with talk(world.over(Failing(StoreFailed("The store is not well.")))) as http:
        assert (await http.get("/")).status_code == 200
        is_problem(await http.get("/jobs"), 503, StoreFailed.code)


@pytest.mark.parametrize(
    "path",
    [
        "/index.html", "/static/index.html", "/assets", "/assets/", "/assets/main-0.js", "/assets/../index.html",
        "/assets/..%2f..%2fdashboard.py", "/..%2fdashboard.py", "/assets/%2e%2e/%2e%2e/guard.py", "/assets//main.js",
        "/assets/main-1a2b.js/", "/assets/main-1a2b.js%00", "/assets/MAIN-1a2b.js", "//", "/icon.svg%0a",
    ],
)  # fmt: skip
async def test_only_names_that_were_found_are_served(http: httpx.AsyncClient, path: str) -> None:
    is_problem(await http.get(httpx.URL(f"http://test{path}")), 404, "FM440")


async def test_a_program_is_told_that_a_page_is_no_json(http: httpx.AsyncClient) -> None:
    document = is_problem(await http.get("/", headers={"Accept": "application/json"}), 406, "FM406")
    assert "text/html" in document["hint"]


async def test_a_browser_gets_the_page(http: httpx.AsyncClient) -> None:
    accept = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    assert (await http.get("/", headers=accept)).status_code == 200
    assert (await http.get("/?from=mail", headers=accept)).status_code == 200
    assert (await http.get("/assets/main-3c4d.css", headers={"Accept": "text/css,*/*;q=0.1"})).status_code == 200


async def test_without_it_there_is_nothing_there() -> None:
    async with talk(World().api) as http:
        for path in PATHS:
            is_problem(await http.get(path), 404, "FM440")


async def test_the_document_tells_of_the_api_alone(world: World, http: httpx.AsyncClient) -> None:
    assert {each.path for each in operations(world)} >= set(PATHS)
    assert not set(PATHS) & (await http.get("/openapi.json")).json()["paths"].keys()


# -- what is shipped --------------------------------------------------------------------------------


def test_what_is_shipped_is_what_lies_in_the_folder() -> None:
    folder = ROOT / "src" / "ferryman" / "http" / FOLDER
    found = {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    assert shipped() == found
    assert "index.html" in found


def test_what_is_shipped_is_in_the_wheel() -> None:
    """hatch takes whatever lies in the package, unless git ignores it."""
    built = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    assert built["targets"]["wheel"] == {"packages": ["src/ferryman"]}
    assert built.keys() == {"targets"}
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text("utf-8").split()]
    parts = {part for name in shipped() for part in ("http", FOLDER, *name.split("/"))}
    assert [(part, each) for part in parts for each in ignored if fnmatch.fnmatch(part, each)] == []


async def test_the_page_that_is_shipped_loads_what_is_shipped_and_nothing_else() -> None:
    async with talk(World(dashboard=Dashboard(shipped())).api) as http:
        page = await http.get("/")
        named = re.findall(r'<(?:script|link|img)\b[^>]*\b(?:src|href)="([^"]*)"', page.text)
        assert named
        for each in named:
            assert not re.match(r"/|[a-z]+:", each), "relative, so that it works below a prefix"
            answer = await http.get(urljoin("/", each))
            assert answer.status_code == 200
            assert "octet-stream" not in answer.headers["content-type"]
        assert not re.search(r"<style|style=|\bon\w+=|<script(?![^>]*\bsrc=)", page.text), "the policy forbids it"
