"""The settings, in one table: flags, environment, file, `config` and the docs all follow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from ferryman.settings import kinds
from ferryman.settings.kinds import Kind, Retention

PREFIX: Final = "FERRYMAN_"
MIB: Final = 1024**2
DAY: Final = 86400.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a node can be told, with the defaults. Times are in seconds, sizes in bytes."""

    host: str = "127.0.0.1"
    port: int = 8080
    worker_count: int = 10
    job_queue_capacity: int = 100
    database_url: str = "sqlite:///ferryman.db"
    queues: tuple[tuple[str, int | None], ...] | None = None
    """(queue, share of the workers or None); None serves every queue."""
    dashboard: bool = True
    max_connections: int = 1000
    tls_certificate: str | None = None
    tls_key: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks; none is trusted otherwise."""
    priority_factor: int = 100
    """0 means that priorities alone count."""
    processes: int = 0
    process_max_jobs: int = 1000
    """0 means never."""
    process_max_rss: int = 0
    """0 means no bound."""
    lease: float = 10.0
    beat: float = 2.0
    stop_deadline: float = 25.0
    max_pending: float | Mapping[str, float] = 0
    """Per queue, one number for all of them or a number for each, "" for those that are not named; 0 means no bound."""
    max_age: float | Mapping[str, float] = 0.0
    """As `max_pending`."""
    default_timeout: float = 3600.0
    loop_stall: float = 60.0
    retention: Retention = Retention()
    transaction_timeout: float = 2.0
    accept_unknown_types: bool = False
    log_level: str = "info"
    log_format: str = "auto"
    log_jobs: bool = False
    log_capture: str = "info"
    max_body: int = MIB
    max_result: int = MIB
    allow_open: bool = False
    api_key: str | None = None


class Setting(msgspec.Struct, frozen=True):
    """One row: how a field of `Settings` is named, read and explained."""

    field: str
    kind: Kind
    meaning: str
    bare: bool = False
    """Whether the environment may name it without the prefix."""
    secret: bool = False
    """Whether FERRYMAN_<NAME>_FILE may name a file that holds it."""

    @property
    def name(self) -> str:
        """As people write it: WORKER_COUNT."""
        return self.field.upper()

    @property
    def variable(self) -> str:
        """In the environment: FERRYMAN_WORKER_COUNT."""
        return PREFIX + self.name

    @property
    def flag(self) -> str:
        """On the command line: --worker-count."""
        return "--" + self.field.replace("_", "-")

    @property
    def default(self) -> str:
        """The default, as text that `kind` reads."""
        return self.kind.show(getattr(Settings(), self.field))


TABLE: Final = (
    Setting("host", kinds.host(), "Where HTTP listens; 0.0.0.0 means every IPv4 address of the machine."),
    Setting("port", kinds.whole(0, 65535, "0 = any free port"), "The port that HTTP listens on.", bare=True),
    Setting("dashboard", kinds.switch(), "Whether HTTP serves the dashboard at /."),
    Setting("max_connections", kinds.whole(1, 100_000), "How many connections HTTP keeps open at once."),
    Setting(
        "tls_certificate",
        kinds.file("plain HTTP"),
        "The certificate with which HTTP is served as HTTPS, and those that vouch for it, in PEM.",
    ),
    Setting("tls_key", kinds.file("it is in the certificate's file"), "The key of the certificate, in PEM."),
    Setting(
        "trusted_proxies",
        kinds.networks(),
        "Proxies that are believed when they say by X-Forwarded-For for whom they ask.",
    ),
    Setting("worker_count", kinds.whole(1, 10_000), "How many jobs a node runs at once.", bare=True),
    Setting(
        "job_queue_capacity",
        kinds.whole(1, 100_000),
        "How many claimed jobs a node holds for its workers at most.",
        bare=True,
    ),
    Setting("database_url", kinds.database_url(), "Where jobs live.", bare=True, secret=True),
    Setting("queues", kinds.queues(), "Which queues a node serves; name:n lets one hold n workers at most."),
    Setting(
        "priority_factor",
        kinds.whole(0, 1_000_000, "0 = priorities alone count"),
        "After so many jobs by priority one goes by age, so that nothing waits for ever.",
    ),
    Setting(
        "processes",
        kinds.whole(0, 1000, "0 = this process"),
        "How many node processes to supervise; 0 runs the jobs in this process.",
    ),
    Setting(
        "process_max_jobs",
        kinds.whole(0, 1_000_000_000, "0 = never"),
        "After how many runs the worker process of process=True handlers is replaced.",
    ),
    Setting(
        "process_max_rss",
        kinds.size(0, 1024**4, "0 = no bound"),
        "The resident memory after which it is replaced, once its run has ended.",
    ),
    Setting("lease", kinds.duration(0.3, 3600.0), "A node without a beat for this long is dead; at least 3 beats."),
    Setting("beat", kinds.duration(0.05, 600.0), "How often a node says that it lives."),
    Setting(
        "stop_deadline", kinds.duration(0.0, DAY), "How long a stop waits for running handlers before it cuts them off."
    ),
    Setting(
        "max_pending",
        kinds.per_queue(kinds.whole(0, 1_000_000_000, "0 = no bound"), "1000,mail:500"),
        "How many jobs may wait in one queue before new ones are refused with 429.",
    ),
    Setting(
        "max_age",
        kinds.per_queue(kinds.duration(0.0, 365 * DAY), "10m,mail:1h"),
        "How long a queue's first pending job may have been ready before new ones are refused; 0 is no bound.",
    ),
    Setting(
        "default_timeout", kinds.duration(0.001, 365 * DAY), "How long a run may take where its type does not say."
    ),
    Setting(
        "loop_stall",
        kinds.duration(0.1, DAY),
        "A loop that a handler blocks for longer is reported with its stack, and the node stops beating.",
    ),
    Setting("retention", kinds.retention(1, 3650 * 86400), "How long ended jobs are kept."),
    Setting(
        "transaction_timeout",
        kinds.duration(0.01, 600.0),
        "How long a handler's transaction may last before it is rolled back; nobody else writes meanwhile.",
    ),
    Setting("accept_unknown_types", kinds.switch(), "Whether to accept jobs of types that no node has registered."),
    Setting("log_level", kinds.choice("debug", "info", "warning", "error"), "The least level that is logged."),
    Setting("log_format", kinds.choice("auto", "text", "json"), "auto is text on a terminal and JSON lines elsewhere."),
    Setting("log_jobs", kinds.switch(), "Whether to log one line per job that ends."),
    Setting(
        "log_capture",
        kinds.choice("debug", "info", "warning", "error", "off"),
        "The least level of a handler's own log lines that is kept with its job; off keeps none.",
    ),
    Setting("max_body", kinds.size(1024, 256 * MIB), "The largest request body, and the largest payload."),
    Setting("max_result", kinds.size(1024, 256 * MIB), "The largest result a handler may return, as JSON."),
    Setting(
        "allow_open",
        kinds.switch(),
        "Whether other machines may use the HTTP API while there is no API key: whoever reaches it may do everything.",
    ),
    Setting("api_key", kinds.secret(), "What an app says to the server that its DATABASE_URL names.", secret=True),
)
"""In the order in which people read them."""
