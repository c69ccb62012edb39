"""A short-lived cache of the responses that sources read, keyed by credentials, caller and request.

Owns how long and how much is kept (cachetools). Failures are not cached.
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
"""Maximum size of the cache, in bytes of the responses before parsing."""

MAX_CACHE_ENTRIES = 4_000
"""Maximum number of entries."""

IMMUTABLE_SECONDS = 600.0
"""Minimum lifetime of a response that never changes, such as the metadata of a commit."""

# Each entry counts as at least this many bytes, so that the limit on bytes limits the number of entries too.
_LEAST_BYTES = MAX_CACHE_BYTES // MAX_CACHE_ENTRIES


@dataclass(frozen=True, slots=True)
class Sized[T]:
    """A parsed response and the number of bytes it was parsed from."""

    value: T
    size: int


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    size: int
    until: float


class AnswerCache:
    """The responses of one connection, each kept for `seconds`; 0 turns the cache off. Thread-safe."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: TLRUCache[Hashable, _Kept] = TLRUCache(
            MAX_CACHE_BYTES, ttu=_until, timer=time.monotonic, getsizeof=_size
        )

    def view(self, *, reader: str, caller: Caller, refresh: bool) -> "CacheView":
        """Return what one question may use of the cache. `reader` is the `credentials_id` of the connection."""
        return CacheView(self, (reader, caller), refresh=refresh)

    def get(self, key: Hashable) -> _Kept | None:
        """Return the entry for `key`, or None."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Hashable, answer: Sized[Any], *, immutable: bool) -> None:
        """Store a response, unless it is larger than a quarter of the cache."""
        if not self._seconds or answer.size > MAX_CACHE_BYTES // 4:
            return
        seconds = max(self._seconds, IMMUTABLE_SECONDS) if immutable else self._seconds
        with self._lock:
            self._kept[key] = _Kept(answer.value, answer.size, time.monotonic() + seconds)


class CacheView:
    """The part of the cache that one question may use: what was read with the same credentials for the same user.

    With `refresh` it appears empty, and new responses replace the old ones.
    """

    def __init__(self, cache: AnswerCache, identity: Hashable, *, refresh: bool) -> None:
        self._cache = cache
        self._identity = identity
        self._refresh = refresh

    def get(self, request: Hashable) -> Sized[Any] | None:
        """Return the cached response to `request`, or None."""
        kept = None if self._refresh else self._cache.get((self._identity, request))
        return Sized(kept.value, kept.size) if kept else None

    def put(self, request: Hashable, answer: Sized[Any], *, immutable: bool = False) -> None:
        """Store the response to `request`; with `immutable` it is kept for at least IMMUTABLE_SECONDS."""
        self._cache.put((self._identity, request), answer, immutable=immutable)


def credentials_id(*parts: str) -> str:
    """Return a SHA-256 hash that identifies a server and its credentials without revealing them."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _until(key: Hashable, kept: _Kept, now: float) -> float:
    return kept.until


def _size(kept: _Kept) -> float:
    return max(kept.size, _LEAST_BYTES)
