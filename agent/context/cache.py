"""A short-lived cache of what sources read, by the reader's credentials, the caller, and the whole request.

Owns lifetimes and bounds (cachetools). Failures are not kept.
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
"""The bound of the cache, in bytes of the answers before parsing."""

MAX_CACHE_ENTRIES = 4_000
"""The bound of the cache in entries."""

IMMUTABLE_SECONDS = 600.0
"""The least time for which an answer that never changes (a commit's metadata) is kept."""

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
        """Return the cache as one question sees it. `reader` is the `fingerprint` of server and credentials."""
        return CacheView(self, (reader, caller), refresh=refresh)

    def get(self, key: Hashable) -> _Kept | None:
        """Return the entry under `key`, None for none."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Hashable, answer: Sized[Any], *, immutable: bool) -> None:
        """Keep an answer, unless it is larger than a quarter of the cache."""
        if not self._seconds or answer.size > MAX_CACHE_BYTES // 4:
            return
        seconds = max(self._seconds, IMMUTABLE_SECONDS) if immutable else self._seconds
        with self._lock:
            self._kept[key] = _Kept(answer.value, answer.size, time.monotonic() + seconds)


class CacheView:
    """The cache as one question may see it: only what the same reader read for the same user. With `refresh` it appears
    empty, and new answers replace those that were kept."""

    def __init__(self, cache: AnswerCache, identity: Hashable, *, refresh: bool) -> None:
        self._cache = cache
        self._identity = identity
        self._refresh = refresh

    def get(self, request: Hashable) -> Sized[Any] | None:
        """Return the answer that is kept for `request`, None for none."""
        kept = None if self._refresh else self._cache.get((self._identity, request))
        return Sized(kept.value, kept.size) if kept else None

    def put(self, request: Hashable, answer: Sized[Any], *, immutable: bool = False) -> None:
        """Keep the answer to `request`. `immutable`: the answer can never change."""
        self._cache.put((self._identity, request), answer, immutable=immutable)


def fingerprint(*parts: str) -> str:
    """Return a hash that identifies credentials without revealing them."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _until(key: Hashable, kept: _Kept, now: float) -> float:
    return kept.until


def _size(kept: _Kept) -> float:
    return max(kept.size, _LEAST_BYTES)
