"""What a source read a moment ago, kept for whoever may see the same: by who reads, for whom, and the whole request.

Owns lifetimes and bounds (cachetools); keeps no failure, and knows no API.
"""

import hashlib
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from cachetools import TLRUCache

from agent.request.caller import Caller

MAX_CACHE_BYTES = 64_000_000
"""Most that is kept, by the size of the answers it was parsed from."""

MAX_CACHE_ENTRIES = 4_000

IMMUTABLE_SECONDS = 600.0
"""How long an answer that can never change (a commit's metadata) is kept at least."""

# Every entry weighs at least this much, so that one bound holds both.
_LEAST_BYTES = MAX_CACHE_BYTES // MAX_CACHE_ENTRIES


@dataclass(frozen=True, slots=True)
class Sized[T]:
    """A parsed answer and how many bytes it was parsed from."""

    value: T
    size: int


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    size: int
    until: float


class AnswerCache:
    """The answers of one connection. `seconds` 0: nothing is kept. Safe to use from several threads."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: TLRUCache[Hashable, _Kept] = TLRUCache(
            MAX_CACHE_BYTES, ttu=_until, timer=time.monotonic, getsizeof=_size
        )

    def view(self, *, reader: str, caller: Caller, refresh: bool) -> "CacheView":
        """The cache as one question sees it. `reader` names server and credentials (see `fingerprint`)."""
        return CacheView(self, (reader, caller), refresh=refresh)

    def get(self, key: Hashable) -> _Kept | None:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Hashable, answer: Sized[Any], *, immutable: bool) -> None:
        if not self._seconds or answer.size > MAX_CACHE_BYTES // 4:
            return
        seconds = max(self._seconds, IMMUTABLE_SECONDS) if immutable else self._seconds
        with self._lock:
            self._kept[key] = _Kept(answer.value, answer.size, time.monotonic() + seconds)


class CacheView:
    """What one question may see of the cache: only what was read by the same reader for the same user. `refresh` sees
    nothing, and what is read then replaces what was kept."""

    def __init__(self, cache: AnswerCache, identity: Hashable, *, refresh: bool) -> None:
        self._cache = cache
        self._identity = identity
        self._refresh = refresh

    def get(self, request: Hashable) -> Sized[Any] | None:
        """What is kept for `request`."""
        kept = None if self._refresh else self._cache.get((self._identity, request))
        return Sized(kept.value, kept.size) if kept else None

    def put(self, request: Hashable, answer: Sized[Any], *, immutable: bool = False) -> None:
        """Keeps what `request` was answered. `immutable`: it will never be answered otherwise."""
        self._cache.put((self._identity, request), answer, immutable=immutable)


def fingerprint(*parts: str) -> str:
    """A name for credentials that does not tell them."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _until(key: Hashable, kept: _Kept, now: float) -> float:
    return kept.until


def _size(kept: _Kept) -> float:
    return max(kept.size, _LEAST_BYTES)
