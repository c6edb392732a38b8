"""The watch over a page notices what it is there for. The pages here are made for that, and need no server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.axe import grave
from tests.browser.pages import overflow
from tests.browser.watching import Watched

SITE = "http://ferryman.test"
POLICY = "default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
DONE = "<p id=done>done</p>"
AFTERWARDS = "requestAnimationFrame(() => setTimeout(() => { document.title = 'ran' }))"
"""What goes wrong is told before the next frame."""


class Stage:
    """A page of a site that is nowhere but here."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.watched = Watched(page, SITE)
        self.policy = POLICY
        self._files: dict[str, tuple[int, str, str]] = {}
        page.route("**/*", self._answer)

    def show(self, script: str, body: str = DONE) -> list[str]:
        """Run a script on the page; gives what was complained of once it has run."""
        self._files["/"] = (200, "text/html", f"<!doctype html><title>t</title>{body}<script src=/a.js></script>")
        self._files["/a.js"] = (200, "text/javascript", f"{script}\n;{AFTERWARDS}")
        self.page.goto(f"{SITE}/")
        expect(self.page).to_have_title("ran")
        return self.watched.complaints

    def ask(self, address: str) -> None:
        """Have the page ask for something, whatever comes of it."""
        self.page.evaluate("(address) => fetch(address).catch(() => null).then(() => null)", address)

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        status, kind, body = self._files.get(path, (404, "text/plain", ""))
        if path == "/gone":
            route.abort("connectionrefused")
        else:
            headers = {"content-type": kind, "content-security-policy": self.policy}
            route.fulfill(status=status, headers=headers, body=body)


@pytest.fixture
def stage(chromium: Browser) -> Iterator[Stage]:
    context = chromium.new_context()
    yield Stage(context.new_page())
    context.close()


def test_a_page_without_faults_is_not_complained_of(stage: Stage) -> None:
    assert stage.show("console.log('fine'); console.warn('well')") == []
    stage.watched.check()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("console.error('oh')", "console: oh"),
        ("queueMicrotask(() => { throw new Error('oh') })", "an error that nobody caught: oh"),
        ("alert('oh')", "alert: oh"),
        ("confirm('oh')", "confirm: oh"),
        ("try { eval('1') } catch {}", "securitypolicyviolation"),
        ("try { document.body.innerHTML = '<b>x</b>' } catch {}", "require-trusted-types-for"),
        ("document.querySelector('#done').setAttribute('style', 'color: red')", "style-src"),
    ],
)
def test_a_fault_is_a_complaint(stage: Stage, script: str, said: str) -> None:
    stage.show(script)
    with pytest.raises(AssertionError, match=said):
        stage.watched.check()


def test_a_request_to_somebody_else_is_a_complaint(stage: Stage) -> None:
    stage.policy = "default-src *"
    stage.show("")
    stage.ask("http://elsewhere.test/")
    assert any(each.startswith("asked somebody else: GET http://elsewhere.test/") for each in stage.watched.complaints)


def test_an_answer_that_is_an_error_is_a_complaint_unless_it_was_expected(stage: Stage) -> None:
    stage.show("")
    stage.watched.expect(404, "/wanted")
    stage.ask("/wanted?x=1")
    stage.ask("/missing")
    assert stage.watched.complaints == [f"refused: 404 GET {SITE}/missing"]


def test_a_server_may_be_gone_only_where_that_is_expected(stage: Stage) -> None:
    stage.show("")
    with stage.watched.server_gone():
        stage.ask("/gone")
    assert stage.watched.complaints == []
    stage.ask("/gone")
    assert stage.watched.complaints == [f"no answer: GET {SITE}/gone (net::ERR_CONNECTION_REFUSED)"]


def test_axe_finds_what_is_grave_under_a_strict_policy(stage: Stage) -> None:
    assert stage.show("", "<main><button></button></main>") == []
    assert [each.partition(" (")[0] for each in grave(stage.page)] == [
        "critical: Buttons must have discernible text",
        "serious: <html> element must have a lang attribute",
    ]
    assert stage.watched.complaints == []


def test_a_page_that_is_wider_than_its_window_is_noticed(stage: Stage) -> None:
    stage.show("document.querySelector('hr').width = 5000", "<hr>")
    assert overflow(stage.page) > 0
    stage.show("", DONE)
    assert overflow(stage.page) == 0
