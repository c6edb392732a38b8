"""What a PostgreSQL URL says, and what of it is told."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import BadSetting
from ferryman.store.factory import is_postgres
from ferryman.store.postgres.target import Target


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://ada:secret@db:6000/shop", "db:6000, database shop, user ada"),
        ("postgres://ada:s%40cret@db/shop", "db:5432, database shop, user ada"),
        ("postgresql://ada@db", "db:5432, database ada, user ada"),
        ("postgresql://db/shop?user=ada&password=secret&port=7000", "db:7000, database shop, user ada"),
        ("postgresql:///shop?host=/run/postgresql", "/run/postgresql:5432, database shop, user of this process"),
        ("postgresql://", "localhost:5432, database of the user, user of this process"),
        ("postgresql://ada:secret@[::1]:6000/shop", "[::1]:6000, database shop, user ada"),
        ("postgresql://ada:secret@[::1]/shop", "[::1]:5432, database shop, user ada"),
        ("postgresql://ada:secret@one,two:6000/shop", "one:5432,two:6000, database shop, user ada"),
    ],
)
def test_host_port_database_and_user_are_told_and_the_password_is_not(url: str, place: str) -> None:
    target = Target.of(url)
    assert target.place == place
    assert target.url.startswith("postgresql://")
    assert "secret" not in target.place


def test_parameters_go_on_to_the_driver_as_they_are() -> None:
    url = "postgresql://ada:s%2Fcret@one:1,two:2/shop?target_session_attrs=read-write&password=a%26b"
    assert Target.of(url).url == url
    assert Target.of("postgresql:///shop?host=%2Ftmp").url == "postgresql:///shop?host=%2Ftmp"


@pytest.mark.parametrize("password", ["se/cret", "se?cret", "se#cret", "1/secret", "1?secret", "1#secret", "a[secret]"])
def test_a_password_that_is_not_written_as_a_url_wants_it_is_refused_and_not_told(password: str) -> None:
    with pytest.raises(BadSetting, match=r"special characters as %XX") as caught:
        Target.of(f"postgresql://ada:{password}@db/shop")
    assert "cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(BadSetting):
        Target.of("postgresql://ada@db:many/shop")


def test_which_urls_name_such_a_database() -> None:
    assert is_postgres("postgres://db") and is_postgres("postgresql://db")
    assert not is_postgres("sqlite:///jobs.db")
