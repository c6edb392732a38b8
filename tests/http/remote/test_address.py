"""Which URLs and keys are taken."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.domain.errors import BadOption, BadSetting
from ferryman.http.remote import Remote
from ferryman.http.remote.address import base_of, headers_of


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://queue.internal:8080", "http://queue.internal:8080"),
        ("https://example.org/queue/", "https://example.org/queue"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ],
)
def test_a_url_loses_its_last_slash(url: str, base: str) -> None:
    assert base_of(url) == base


@pytest.mark.parametrize(
    "url",
    ["", "queue:8080", "ftp://queue", "http://", "http:///jobs", "http://queue:x", "http://queue:99999", "http://queue:0",
     "http://queue/?a=1", "http://queue/#a", "http://queue/a b", "http://[::1", "http://queue/\u00e9", "http://a\\b"],
)  # fmt: skip
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match="The URL of the server is not allowed"):
        base_of(url)


def test_a_password_in_the_url_is_refused_and_not_shown() -> None:
    with pytest.raises(BadSetting) as caught:
        base_of("http://ada:sesame@queue")
    assert "api_key" in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a b", "a\r\nx: y", "k\u00e9y"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(BadSetting) as caught:
        headers_of(key)
    assert not key or key not in str(caught.value)


def test_a_remote_does_not_show_its_key() -> None:
    remote = Remote("http://queue/", api_key="sesame")
    assert repr(remote) == "Remote('http://queue')"
    with pytest.raises(BadSetting):
        Remote("nowhere")


@pytest.mark.parametrize(
    "given", [{"timeout": 0}, {"timeout": -1}, {"timeout": "5"}, {"retries": -1}, {"retries": 1.5}]
)
def test_what_is_no_bound_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadOption, match=next(iter(given))):
        Remote("http://queue", **given)
