"""Settings: what each may be, which source wins, and errors that name setting, value and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ferryman.domain.errors import BadSetting, BadSettingsFile, UnknownSetting
from ferryman.settings import TABLE, Loaded, Retention, Setting, Settings, examine, load
from ferryman.settings.kinds import hide_password

BY_FIELD = {setting.field: setting for setting in TABLE}

BAD = {
    "host": ["http://0.0.0.0", "localhost:80", "a b", "::1::2", "[::1]"],
    "port": ["65536", "-1", "http", "80.5", "0x50", "8080;", "٨٠", "9" * 5000],
    "dashboard": ["-", "maybe"],
    "max_connections": ["0", "100001", "many"],
    "tls_certificate": ["a\0b"],
    "tls_key": ["\0"],
    "trusted_proxies": ["*", "", "proxy", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.1,", "10.0.0.1:80"],
    "worker_count": ["0", "10001", "ten", "1e3", "-5"],
    "job_queue_capacity": ["0", "100001", "1_000", "many"],
    "database_url": [
        "ferryman.db",
        "sqlite:ferryman.db",
        "sqlite://ferryman.db",
        "sqlite:///",
        "sqlite:///folder/",
        "sqlite:///:memory:",
        "sqlite:///x.db?mode=ro",
        "postgresql://",
        "postgresql:localhost/jobs",
        "postgresql+psycopg://localhost/jobs",
        "redis://localhost",
        "memory://x",
    ],
    "queues": ["mail:", "mail:0", "mail:10001", "mail:4,mail:5", ",", "a,,b", "a b", "mail:four", "a:b:2"],
    "processes": ["-1", "1001", "none"],
    "process_max_jobs": ["-1", "1000000001", "never", "1.5"],
    "process_max_rss": ["-1", "1GB", "1025GiB", "half"],
    "lease": ["0", "-1", "10x", "2h", "ten", "10 seconds", "nan", "inf", "1e1"],
    "beat": ["0", "11m", "2sec", "-2"],
    "stop_deadline": ["-1", "25h", "soon"],
    "priority_factor": ["-1", "1000001", "often"],
    "max_pending": ["-1", "1000000001", "none", "1.5", "1,2", "mail:", ":5", "mail:1,mail:2", "a b:1", "a:1:2", "mail"],
    "max_age": ["-1", "soon", "mail:5x", "1,2s", "366d"],
    "default_timeout": ["0", "366d", "None", "-3"],
    "loop_stall": ["0", "50ms", "25h", "x"],
    "retention": [
        "24h",
        "completed",
        "completed=",
        "done=1h",
        "completed=0",
        "completed=1h,completed=2h",
        "failed=1.5s",
    ],
    "transaction_timeout": ["0", "11m", "-1", "2 s s"],
    "accept_unknown_types": ["2", "maybe", "tru", "y"],
    "log_level": ["verbose", "10", "warn ing"],
    "log_format": ["xml", "logfmt"],
    "log_jobs": ["sometimes", "-1"],
    "log_capture": ["on", "none", "20"],
    "max_body": ["1023", "1MB", "1 Mib", "257MiB", "-1", "1.5MiB", "1GiB"],
    "max_result": ["0", "1kb", "a lot", "2 GiB"],
    "allow_open": ["-", "everybody"],
    "api_key": [],  # what is wrong with it is said without showing it
}

GOOD: Mapping[str, Mapping[str, object]] = {
    "host": {"0.0.0.0": "0.0.0.0", "::1": "::1", "my-host.example": "my-host.example"},
    "port": {"0": 0, "65535": 65535, " 80 ": 80},
    "dashboard": {"true": True, "false": False},
    "max_connections": {"1": 1, "100000": 100_000},
    "tls_certificate": {"chain.pem": "chain.pem", "none": None},
    "tls_key": {"/etc/key.pem": "/etc/key.pem", "none": None},
    "trusted_proxies": {"none": (), "::1": ("::1",), "10.0.0.1, 192.168.0.0/16": ("10.0.0.1", "192.168.0.0/16")},
    "worker_count": {"1": 1, "10000": 10000},
    "job_queue_capacity": {"1": 1, "100000": 100000},
    "database_url": {
        "sqlite:///a/b.db": "sqlite:///a/b.db",
        "sqlite:////var/lib/b.db": "sqlite:////var/lib/b.db",
        "memory://": "memory://",
        "https://example.org/queue": "https://example.org/queue",
    },
    "queues": {"all": None, "mail:4, default": (("mail", 4), ("default", None)), "a-b.c_d:2": (("a-b.c_d", 2),)},
    "processes": {"0": 0, "4": 4},
    "process_max_jobs": {"0": 0, "50": 50},
    "process_max_rss": {"0": 0, "512MiB": 512 * 1024**2},
    "lease": {"10": 10.0, "1m": 60.0},
    "beat": {"200ms": 0.2, "0.5": 0.5, "1.5 s": 1.5},
    "stop_deadline": {"0": 0.0, "24h": 86400.0},
    "priority_factor": {"0": 0, "7": 7},
    "max_pending": {"0": 0, "1000000": 1_000_000, "mail:500, 9": {"mail": 500, "": 9}, "a:0,b:1": {"a": 0, "b": 1}},
    "max_age": {"0": 0.0, "10m": 600.0, "10m,mail:1h": {"": 600.0, "mail": 3600.0}},
    "default_timeout": {"5m": 300.0, "14d": 14 * 86400.0},
    "loop_stall": {"100ms": 0.1},
    "retention": {
        "completed=1h": Retention(completed=3600),
        "failed=2d, cancelled=90s": Retention(failed=172_800, cancelled=90),
    },
    "transaction_timeout": {"500ms": 0.5},
    "accept_unknown_types": {"true": True, "YES": True, "off": False, "0": False},
    "log_level": {"DEBUG": "debug", "warning": "warning"},
    "log_format": {"json": "json", "Text": "text"},
    "log_jobs": {"1": True, "no": False},
    "log_capture": {"OFF": "off", "error": "error"},
    "max_body": {"1024": 1024, "2 MiB": 2 * 1024**2, "2048B": 2048},
    "max_result": {"512KiB": 512 * 1024},
    "allow_open": {"true": True, "false": False},
    "api_key": {"none": None, "sesame": "sesame"},
}


def loaded(
    tmp_path: Path,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
    **arguments: object,
) -> Loaded:
    return load(flags or {}, environ or {}, tmp_path, arguments)


def test_the_cases_cover_the_whole_table() -> None:
    assert set(BAD) == set(GOOD) == set(BY_FIELD) == set(Settings.__struct_fields__)


@pytest.mark.parametrize(("field", "text"), [(field, text) for field, texts in BAD.items() for text in texts])
def test_a_bad_value_is_refused_naming_variable_value_and_what_is_allowed(
    field: str, text: str, tmp_path: Path
) -> None:
    setting = BY_FIELD[field]
    with pytest.raises(BadSetting) as caught:
        loaded(tmp_path, {setting.variable: text})
    told = str(caught.value)
    assert told.startswith(f"FM101: {setting.variable} is ")
    assert repr(text[:100]) in told
    assert setting.kind.allowed in told
    assert setting.default in told


def test_a_key_is_shown_to_nobody(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as caught:
        loaded(tmp_path, {"FERRYMAN_API_KEY": "open sesame"})
    assert "FERRYMAN_API_KEY is a text that is not shown" in str(caught.value)
    assert "sesame" not in str(caught.value)
    assert BY_FIELD["api_key"].kind.show("sesame") == "***"


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [(field, text, value) for field, cases in GOOD.items() for text, value in cases.items()],
)
def test_a_good_value_is_read(field: str, text: str, value: object, tmp_path: Path) -> None:
    found = loaded(
        tmp_path, {BY_FIELD[field].variable: text, "FERRYMAN_BEAT": "0.1"} | {BY_FIELD[field].variable: text}
    )
    assert getattr(found.settings, field) == value


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.field)
def test_an_empty_value_is_an_error_not_a_default(setting: Setting, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="It is empty"):
        loaded(tmp_path, {setting.variable: " "})


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.field)
def test_the_default_is_a_value_that_may_be_written(setting: Setting, tmp_path: Path) -> None:
    assert loaded(tmp_path, {setting.variable: setting.default}).settings == Settings()


def test_the_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    assert {setting.name: setting.default for setting in TABLE} == {
        "HOST": "127.0.0.1",
        "PORT": "8080",
        "DASHBOARD": "true",
        "MAX_CONNECTIONS": "1000",
        "TLS_CERTIFICATE": "none",
        "TLS_KEY": "none",
        "TRUSTED_PROXIES": "none",
        "WORKER_COUNT": "10",
        "JOB_QUEUE_CAPACITY": "100",
        "DATABASE_URL": "sqlite:///ferryman.db",
        "QUEUES": "all",
        "PRIORITY_FACTOR": "100",
        "PROCESSES": "0",
        "PROCESS_MAX_JOBS": "1000",
        "PROCESS_MAX_RSS": "0",
        "LEASE": "10s",
        "BEAT": "2s",
        "STOP_DEADLINE": "25s",
        "MAX_PENDING": "0",
        "MAX_AGE": "0s",
        "DEFAULT_TIMEOUT": "1h",
        "LOOP_STALL": "1m",
        "RETENTION": "completed=24h,failed=14d,cancelled=14d",
        "TRANSACTION_TIMEOUT": "2s",
        "ACCEPT_UNKNOWN_TYPES": "false",
        "LOG_LEVEL": "info",
        "LOG_FORMAT": "auto",
        "LOG_JOBS": "false",
        "LOG_CAPTURE": "info",
        "MAX_BODY": "1MiB",
        "MAX_RESULT": "1MiB",
        "ALLOW_OPEN": "false",
        "API_KEY": "none",
    }
    assert loaded(tmp_path) == Loaded(Settings(), {setting.field: "default" for setting in TABLE})


# -- sources -------------------------------------------------------------------------------------


def test_each_source_yields_to_the_one_before_it(tmp_path: Path) -> None:
    (tmp_path / "ferryman.toml").write_text("port = 5")
    bare, prefixed = {"PORT": "4"}, {"PORT": "4", "FERRYMAN_PORT": "3"}
    seen = [
        loaded(tmp_path, prefixed, {"port": "1"}, port=2),
        loaded(tmp_path, prefixed, port=2),
        loaded(tmp_path, prefixed),
        loaded(tmp_path, bare),
        loaded(tmp_path),
        load({}, {}, tmp_path / "elsewhere"),
    ]
    assert [(found.settings.port, found.sources["port"]) for found in seen] == [
        (1, "flag --port"),
        (2, "argument of Ferryman()"),
        (3, "environment FERRYMAN_PORT"),
        (4, "environment PORT"),
        (5, "file ferryman.toml"),
        (8080, "default"),
    ]


def test_exactly_four_settings_go_without_the_prefix(tmp_path: Path) -> None:
    assert [setting.name for setting in TABLE if setting.bare] == [
        "PORT",
        "WORKER_COUNT",
        "JOB_QUEUE_CAPACITY",
        "DATABASE_URL",
    ]
    assert loaded(tmp_path, {"HOST": "no host at all", "LEASE": "x"}).settings == Settings()


@pytest.mark.parametrize(
    ("flags", "environ", "arguments", "toml", "named"),
    [
        ({"worker_count": "0"}, {}, {}, "", "--worker-count is '0'"),
        ({}, {"WORKER_COUNT": "0"}, {}, "", "WORKER_COUNT is '0'"),
        ({}, {}, {"worker_count": 0}, "", "worker_count= of Ferryman() is '0'"),
        ({}, {}, {}, "worker_count = 0", "worker_count in ferryman.toml is '0'"),
    ],
)
def test_an_error_names_the_setting_as_it_was_written(
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    arguments: Mapping[str, object],
    toml: str,
    named: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "ferryman.toml").write_text(toml)
    with pytest.raises(BadSetting) as caught:
        load(flags, environ, tmp_path, arguments)
    assert named in caught.value.what


def test_the_file_may_use_the_types_of_toml(tmp_path: Path) -> None:
    (tmp_path / "ferryman.toml").write_text(
        'log_jobs = true\nbeat = 0.5\nqueues = ["mail:4", "default"]\nretention = { failed = "7d", cancelled = 60 }\n'
    )
    found = loaded(tmp_path).settings
    assert (found.log_jobs, found.beat, found.queues) == (True, 0.5, (("mail", 4), ("default", None)))
    assert found.retention == Retention(failed=7 * 86400, cancelled=60)


def test_pyproject_is_read_where_there_is_no_file_of_our_own(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ferryman]\nport = 1\n[tool.other]\nport = 2\n")
    found = loaded(tmp_path)
    assert (found.settings.port, found.sources["port"]) == (1, "file [tool.ferryman] of pyproject.toml")
    (tmp_path / "ferryman.toml").write_text("worker_count = 3")
    assert (loaded(tmp_path).settings.port, loaded(tmp_path).settings.worker_count) == (8080, 3)


def test_a_project_without_our_table_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    assert loaded(tmp_path).settings == Settings()


@pytest.mark.parametrize("content", [b"port = ", b"port = 1\nport = 2", b"\xff\xfe", b"[tool"])
@pytest.mark.parametrize("name", ["ferryman.toml", "pyproject.toml"])
def test_a_broken_file_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadSettingsFile, match=name):
        loaded(tmp_path)


def test_a_file_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "ferryman.toml").mkdir()
    with pytest.raises(BadSettingsFile, match="IsADirectoryError"):
        loaded(tmp_path)


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "toml", "arguments", "told"),
    [
        ({"FERRYMAN_WORKERS_COUNT": "3"}, "", {}, "Did you mean FERRYMAN_WORKER_COUNT?"),
        ({"FERRYMAN_DATABASE_URL_FILES": "x"}, "", {}, "Did you mean FERRYMAN_DATABASE_URL_FILE?"),
        ({"FERRYMAN_PORT_FILE": "x"}, "", {}, "FERRYMAN_PORT_FILE in the environment is no setting"),
        ({"FERRYMAN_SERVICE_HOST": "10.0.0.1"}, "", {}, "enableServiceLinks: false"),
        ({"FERRYMAN_PORT_8080_TCP": "tcp://10.0.0.1:8080"}, "", {}, "enableServiceLinks: false"),
        ({}, "WORKER_COUNT = 3", {}, "Did you mean worker_count?"),
        ({}, "colour = 'red'", {}, "`ferryman config` lists every setting."),
        ({}, "", {"prot": 1}, "Did you mean port?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(
    environ: Mapping[str, str], toml: str, arguments: Mapping[str, object], told: str, tmp_path: Path
) -> None:
    (tmp_path / "ferryman.toml").write_text(toml)
    with pytest.raises(UnknownSetting) as caught:
        load({}, environ, tmp_path, arguments)
    assert told in str(caught.value)


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    environ = {"FERRY_PORT": "x", "FERRYMANPORT": "x", "FERRYMAN_TEST_DSN": "x", "ferryman_port": "x"}
    assert loaded(tmp_path, environ).settings == Settings()


# -- secrets -------------------------------------------------------------------------------------


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("sqlite:///secret.db\n")
    found = loaded(tmp_path, {"FERRYMAN_DATABASE_URL_FILE": str(tmp_path / "url"), "DATABASE_URL": "memory://"})
    assert found.settings.database_url == "sqlite:///secret.db"
    assert found.sources["database_url"] == "environment FERRYMAN_DATABASE_URL_FILE"


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="FERRYMAN_DATABASE_URL_FILE is '/no/such/file', which cannot be read"):
        loaded(tmp_path, {"FERRYMAN_DATABASE_URL_FILE": "/no/such/file"})


def test_a_secret_said_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="both set"):
        loaded(tmp_path, {"FERRYMAN_DATABASE_URL_FILE": "x", "FERRYMAN_DATABASE_URL": "memory://"})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:hunter2@db/jobs", "postgresql://me:***@db/jobs"),
        ("postgresql://me:hun%40ter2@db/jobs", "postgresql://me:***@db/jobs"),
        ("postgresql://:hunter2@db", "postgresql://:***@db"),
        ("postgresql://db/jobs?password=hunter2", "postgresql://db/jobs?password=***"),
        ("postgresql://db/jobs?user=me&password=hun%26ter2&x=1", "postgresql://db/jobs?user=me&password=***&x=1"),
        ("postgresql://me:hunter2@db/jobs?sslpassword=hunter2", "postgresql://me:***@db/jobs?sslpassword=***"),
        ("postgresql://db/jobs?p%61ssword=hunter2", "postgresql://db/jobs?p%61ssword=***"),
        ("host=db password=hunter2 dbname=jobs", "host=db password=*** dbname=jobs"),
        ("host=db PASSWORD = 'hunter2 is old'", "host=db PASSWORD=***"),
        ("postgresql://me@db:5432/jobs?sslmode=require", "postgresql://me@db:5432/jobs?sslmode=require"),
        ("sqlite:///jobs.db", "sqlite:///jobs.db"),
    ],
)
def test_a_password_is_shown_as_stars_wherever_it_stands(url: str, shown: str) -> None:
    assert hide_password(url) == shown


@pytest.mark.parametrize("password", ["hunter2", "hun@ter2", "hunter2" * 30, "hunter2/x"])
def test_no_error_tells_a_password(password: str, tmp_path: Path) -> None:
    url = f"postgresql+asyncpg://me:{password}@db/jobs"
    (tmp_path / "url").write_text(url)
    for environ in ({"DATABASE_URL": url}, {"FERRYMAN_DATABASE_URL_FILE": str(tmp_path / "url")}):
        with pytest.raises(BadSetting) as caught:
            loaded(tmp_path, environ)
        assert "ter2" not in str(caught.value)
        assert "leave out what follows the +" in str(caught.value)


def test_what_a_secret_file_holds_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("hunter2")
    with pytest.raises(BadSetting) as caught:
        loaded(tmp_path, {"FERRYMAN_DATABASE_URL_FILE": str(tmp_path / "url")})
    assert "hunter2" not in str(caught.value)
    assert f"FERRYMAN_DATABASE_URL_FILE is what '{tmp_path}/url' holds, which is not allowed" in str(caught.value)


# -- together ------------------------------------------------------------------------------------


def test_a_lease_lasts_three_beats(tmp_path: Path) -> None:
    assert loaded(tmp_path, {"FERRYMAN_LEASE": "6", "FERRYMAN_BEAT": "2"}).settings.lease == 6
    with pytest.raises(BadSetting, match=r"FERRYMAN_LEASE is 5\.9 s and FERRYMAN_BEAT is 2 s"):
        loaded(tmp_path, {"FERRYMAN_LEASE": "5.9", "FERRYMAN_BEAT": "2"})


def test_examine_tells_every_problem_and_puts_defaults_in_place(tmp_path: Path) -> None:
    (tmp_path / "ferryman.toml").write_text("broken")
    environ = {"PORT": "x", "FERRYMAN_BEAT": "0", "FERRYMAN_COLOUR": "red", "WORKER_COUNT": "7"}
    found, problems = examine({}, environ, tmp_path)
    assert [problem.code for problem in problems] == ["FM103", "FM102", "FM101", "FM101"]
    assert found.settings == Settings(worker_count=7)
    assert (found.sources["port"], found.sources["worker_count"]) == ("default", "environment WORKER_COUNT")
