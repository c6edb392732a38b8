"""/openapi.json and /docs: the document is a right one, and says of every path what is there."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from openapi_spec_validator import validate

from ferryman.http import api_keys, batch, bodies, bulk_wire, changes, heads, keys, rules, schedule_wire, session, wire
from tests.http.world import is_problem

pytestmark = pytest.mark.anyio
BRACES = re.compile(r"{\w+}")
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
async def document(http: httpx.AsyncClient) -> dict[str, Any]:
    answer = await http.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    told: dict[str, Any] = answer.json()
    return told


def operations(document: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, told) for path, methods in document["paths"].items() for method, told in methods.items()
    ]


async def test_it_is_a_document_of_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validate(document)


async def test_each_path_takes_the_methods_that_the_document_names(
    http: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    for path, methods in document["paths"].items():
        answer = await http.options(BRACES.sub("some", path))
        assert answer.status_code == 204, path
        allowed = {each.lower() for each in answer.headers["allow"].split(", ")} - {"head", "options"}
        assert allowed == set(methods), path


async def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(document: dict[str, Any]) -> None:
    told = [each for _, _, each in operations(document)]
    assert len({each["operationId"] for each in told}) == len(told)
    assert all(each["summary"] for each in told)


async def test_only_the_node_s_health_the_document_and_who_signs_in_ask_for_no_scope(document: dict[str, Any]) -> None:
    free = {path for _, path, told in operations(document) if "security" not in told}
    assert free == {"/health", "/livez", "/readyz", "/openapi.json", "/docs", "/session"}


async def test_the_table_of_paths_is_that_of_the_operations(document: dict[str, Any]) -> None:
    table = (DOCS / "http.md").read_text("utf-8").partition("\n## ")[0]
    cells = re.findall(r"^\| (`.+?) \| \[", table, re.MULTILINE)
    rows = [tuple(each) for cell in cells for each in re.findall(r"`([A-Z]+) ([^`]+)`", cell)]
    assert sorted(rows) == sorted((method, path) for method, path, _ in operations(document))


async def test_what_a_reference_names_is_there(document: dict[str, Any]) -> None:
    found = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert found == set(document["components"]["schemas"]) & found
    assert {"Job", "NewJob", "Problem"} <= found


@pytest.mark.parametrize(
    ("form", "checks"),
    [
        (bodies.NewJob, wire.OF_A_JOB),
        (bodies.NewBatch, batch.MEMBERS),
        (bodies.Placement, changes.PLACEMENT),
        (bodies.RetryFilter, changes.FILTER),
        (bodies.PurgeFilter, changes.FILTER),
        (bodies.NewOperation, bulk_wire.MEMBERS),
        (bodies.NewLimit, rules.LIMIT),
        (bodies.NewRule, keys.RULE),
        (bodies.NewSchedule, schedule_wire.MEMBERS),
        (bodies.NewApiKey, api_keys.NEW),
        (bodies.Rotation, api_keys.ROTATION),
        (bodies.SignIn, session.MEMBERS),
    ],
)
def test_a_body_has_the_members_that_are_checked(form: type[msgspec.Struct], checks: Mapping[str, object]) -> None:
    assert {field.name for field in msgspec.structs.fields(form)} == set(checks)


async def test_no_form_of_a_request_has_a_pattern_that_msgspec_would_read() -> None:
    """In a union it breaks msgspec's memory: about every third process that has described its API died at its end."""
    forms = [*vars(bodies).values(), *vars(heads).values()]
    found = [each for each in forms if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    assert len(found) > 20
    assert re.findall(r"[( ]pattern='[^']*'", repr(msgspec.inspect.multi_type_info(found))) == []


async def test_the_page_names_every_operation_and_form(http: httpx.AsyncClient, document: dict[str, Any]) -> None:
    answer = await http.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for method, path, told in operations(document):
        line = f'<span class="method">{method}</span> <span class="path">{path}</span> {escape(told["summary"])}'
        assert line in answer.text
    for name in document["components"]["schemas"]:
        assert f'<details id="{name}">' in answer.text


async def test_the_page_may_use_its_own_style_and_nothing_else(http: httpx.AsyncClient) -> None:
    answer = await http.get("/docs")
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"<script|<link|<img|style=|https?://", answer.text.replace("https://www.rfc-editor.org", ""))


async def test_links_of_the_page_lead_somewhere(http: httpx.AsyncClient) -> None:
    text = (await http.get("/docs")).text
    assert set(re.findall(r'href="#(\w+)"', text)) <= set(re.findall(r'id="(\w+)"', text))


async def test_a_page_is_told_to_those_who_take_pages(http: httpx.AsyncClient) -> None:
    assert (await http.get("/docs", headers={"Accept": "text/html,*/*;q=0.8"})).status_code == 200
    is_problem(await http.get("/docs", headers={"Accept": "application/json"}), 406, "FM406")


async def test_a_line_end_belongs_to_a_path_like_any_other_character(http: httpx.AsyncClient) -> None:
    is_problem(await http.get("/nodes%0A"), 404, "FM440")
    assert (await http.put("/keys/a%0Ab", json={"concurrency": 1})).status_code == 200
    assert (await http.get("/keys/a%0Ab")).json()["key"] == "a\nb"
