"""Who may do what over the HTTP API: rights, the API keys that have them, and the callers who show one.

    ferryman_1f0c9a52d1b7e604_u0Vn...k        what a caller shows
             |                |
             id               secret: 256 random bits in base64url
             looked up        only its SHA-256 is stored, and compared

The secret has so much entropy that nobody can guess it from its hash; a slow hash would protect nothing more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from math import ceil
from types import MappingProxyType
from typing import Final

import msgspec

from ferryman.domain import options
from ferryman.domain.job import MICROS
from ferryman.domain.limits import Limit
from ferryman.domain.secrets import Secret

LIVE_MOST: Final = 2
"""How many keys of one name may live at a time: the one in use, and the one that follows it."""
QUEUES_MOST: Final = 100
DAY: Final = 86_400 * MICROS
_PREFIX: Final = "ferryman_"
"""By it scanners and people know what they have found."""
_ID_BYTES: Final = 8
_SECRET_BYTES: Final = 32
_ID: Final = re.compile(r"[0-9a-f]{16}")
_TEXT: Final = re.compile(rf"{_PREFIX}({_ID.pattern})_([A-Za-z0-9_-]{{43}})")

Entropy = Callable[[int], bytes]
"""So many random bytes, from a source fit for secrets."""
Compare = Callable[[str, str], bool]
"""Whether two texts are the same, in a time that does not tell where they differ."""


class Right(StrEnum):
    """A kind of thing to do; users call it a scope."""

    ENQUEUE = "enqueue"
    """Hand jobs in."""
    READ = "read"
    """Look at everything but who has access."""
    WORK = "work"
    """Run jobs."""
    OPERATE = "operate"
    """Change what happens to jobs: cancel, retry, pause, limit."""
    ADMIN = "admin"
    """Say who has access."""


IMPLIED: Final = MappingProxyType({Right.OPERATE: frozenset({Right.READ}), Right.ADMIN: frozenset(Right)})
"""What a right brings along."""


def with_implied(rights: Iterable[Right]) -> frozenset[Right]:
    """The rights, and those that they bring along."""
    given = frozenset(rights)
    return given.union(*(IMPLIED.get(right, frozenset()) for right in given))


class Caller(msgspec.Struct, frozen=True):
    """Who asks, as far as it matters for what they may do."""

    name: str
    rights: frozenset[Right]
    """With those that are implied."""
    queues: frozenset[str] | None = None
    """The queues to which they are limited; None is all."""
    quota: int | None = None
    """How many jobs they may enqueue in a day; None is no bound."""

    def may(self, right: Right) -> bool:
        """Whether they have a right."""
        return right in self.rights

    def knows(self, queue: str) -> bool:
        """Whether jobs of this queue are any of their business."""
        return self.queues is None or queue in self.queues


EVERYBODY: Final = Caller("", frozenset(Right))
"""Who asks where nobody needs a key."""
NOBODY: Final = Caller("", frozenset(), frozenset())
"""Who asks before anybody has looked."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as a store keeps it: without its secret. It is never changed, but for when it ends and was used."""

    id: str
    """Public, and a part of what a caller shows."""
    name: str
    """Who it is for; the keys that follow one another have the same."""
    digest: str
    """Of the secret, see `digest_of`."""
    rights: tuple[Right, ...]
    """As they were given, in the order of `Right`."""
    queues: tuple[str, ...] | None = None
    """The queues to which it is limited, in order; None is all."""
    rate: float | None = None
    """Requests a second; None is no bound."""
    burst: int = 1
    """How many more there may be at once after a time without."""
    quota: int | None = None
    """How many jobs the keys of its name may enqueue in a day, by UTC; None is no bound."""
    created_at: int
    expires_at: int | None = None
    """From then on it is as if there were no such key; None is never."""
    last_used_at: int | None = None

    def lives(self, now: int) -> bool:
        """Whether it opens anything."""
        return self.expires_at is None or now < self.expires_at

    @property
    def limit(self) -> Limit:
        """How many requests it may make."""
        return Limit(rate=self.rate, burst=self.burst)

    def caller(self) -> Caller:
        """Whoever shows it."""
        queues = None if self.queues is None else frozenset(self.queues)
        return Caller(self.name, with_implied(self.rights), queues, self.quota)


class Shown(msgspec.Struct, frozen=True):
    """What a caller shows, taken apart."""

    id: str
    secret: Secret[str]

    def opens(self, key: ApiKey | None, compare: Compare = hmac.compare_digest) -> bool:
        """Whether it is this key; with none it takes as long to say no."""
        same = compare(digest_of(self.secret.reveal()), _NO_DIGEST if key is None else key.digest)
        return same and key is not None


class Issued(msgspec.Struct, frozen=True):
    """A new key, and its text, which is known only now."""

    key: ApiKey
    text: Secret[str]


def mint(entropy: Entropy) -> Shown:
    """The id and the secret of a new key."""
    secret = base64.urlsafe_b64encode(entropy(_SECRET_BYTES)).rstrip(b"=").decode()
    return Shown(entropy(_ID_BYTES).hex(), Secret(secret))


def text_of(shown: Shown) -> Secret[str]:
    """What a caller shows."""
    return Secret(f"{_PREFIX}{shown.id}_{shown.secret.reveal()}")


def read_text(text: str) -> Shown | None:
    """What a caller shows, taken apart; None where that is no key at all."""
    found = _TEXT.fullmatch(text)
    return None if found is None else Shown(found[1], Secret(found[2]))


def is_api_key_id(text: str) -> bool:
    """Whether a text can be the id of a key."""
    return _ID.fullmatch(text) is not None


def day_of(now: int) -> int:
    """The day by UTC for which quotas are counted, as a number."""
    return now // DAY


def digest_of(secret: str) -> str:
    """What is stored of a secret: its SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


_NO_DIGEST: Final = digest_of("")
"""Of what is no secret."""


# -- what people may ask for ---------------------------------------------------------------------


def name(value: object) -> str:
    """Who a key is for. Raises BadOption."""
    return options.name_of("name", value)


def rights(values: Iterable[object]) -> tuple[Right, ...]:
    """What a key may do: at least one thing. Raises BadOption."""
    given = {options.one_of("a scope", value, Right) for value in values}
    if not given:
        raise options.refused("scopes", [], f"at least one of {', '.join(Right)}")
    return tuple(right for right in Right if right in given)


def queues(values: Iterable[object]) -> tuple[str, ...]:
    """The queues to which a key is limited. Raises BadOption."""
    given = sorted({options.queue(value) for value in values})
    if not 1 <= len(given) <= QUEUES_MOST:
        raise options.refused("queues", given, f"1 to {QUEUES_MOST} of them, or none said for all")
    return tuple(given)


def burst(value: int | None, rate: float | None) -> int:
    """How many requests may come at once; unless it is said, as many as come in a second. Raises BadOption."""
    if value is None:
        return 1 if rate is None else max(1, ceil(rate))
    if rate is None:
        raise options.refused("burst", value, "a burst with a rate only")
    return options.count("burst", value)
