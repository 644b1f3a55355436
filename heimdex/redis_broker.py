"""django-q's broker protocol on Redis, with receipts: what was taken stays there until it has been done.

The broker that django-q brings takes a task out before it is done, so that a killed worker's tasks are lost.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

if TYPE_CHECKING:
    from redis import Redis

log = structlog.get_logger(__name__)

# Nobody who uploads waits longer for a queue that does not answer.
CONNECT_TIMEOUT_S = 2
ANSWER_TIMEOUT_S = 5
_LISTEN_S = 1
_TRY_AGAIN_S = 1.0


class QueueUnavailable(Exception):
    """Redis cannot be reached, or refuses; the message names the address and the setting, and never the password."""


class RedisBroker:
    """One queue: a list of waiting tasks, and a list of those that were taken and not acknowledged. Needs Redis 6.2, or Valkey."""

    def __init__(self, url: str, queue: str) -> None:
        self.list_key = queue
        self._url = url
        self._waiting = f"heimdex:{queue}"
        self._taken = f"heimdex:{queue}:taken"

    def enqueue(self, task: str) -> None:
        """Append a signed task; QueueUnavailable when Redis is away."""
        with self._answers():
            self._redis.rpush(self._waiting, task)

    def dequeue(self) -> list[tuple[str, str]] | None:
        """Take the oldest task and return it with its receipt, or None after a second without one; an outage is only logged."""
        try:
            with self._answers():
                task: Any = self._redis.blmove(self._waiting, self._taken, _LISTEN_S, "LEFT", "RIGHT")
        except QueueUnavailable as error:
            log.warning("No tasks can be taken", queue=self.list_key, reason=str(error))
            time.sleep(_TRY_AGAIN_S)
            return None
        return [(task, task)] if task else None

    def acknowledge(self, receipt: str) -> None:
        """Forget a task that was done; while Redis is away it stays, and is done once more later."""
        try:
            with self._answers():
                self._redis.lrem(self._taken, 1, receipt)
        except QueueUnavailable as error:
            log.warning("A finished task could not be acknowledged", queue=self.list_key, reason=str(error))

    fail = delete = acknowledge

    def hand_back(self) -> None:
        """Let what was taken and not acknowledged be taken again, before what waits."""
        with self._answers():
            for _ in range(self.lock_size()):
                self._redis.lmove(self._taken, self._waiting, "RIGHT", "LEFT")

    def queue_size(self) -> int:
        """Return how many tasks wait."""
        with self._answers():
            return int(self._redis.llen(self._waiting))

    def lock_size(self) -> int:
        """Return how many tasks were taken and not acknowledged."""
        with self._answers():
            return int(self._redis.llen(self._taken))

    def oldest(self) -> str | None:
        """Return the task that is taken next, or None."""
        with self._answers():
            task: Any = self._redis.lindex(self._waiting, 0)
        return task  # type: ignore[no-any-return]

    def purge_queue(self) -> None:
        """Forget all tasks."""
        with self._answers():
            self._redis.delete(self._waiting, self._taken)

    delete_queue = purge_queue

    def ping(self) -> bool:
        """Return True, or raise QueueUnavailable."""
        with self._answers():
            self._redis.ping()
        return True

    def info(self) -> str:
        """Name the broker, for django-q's log."""
        return f"Redis at {address(self._url)}"

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Keep no statistics: what runs is shown by our own supervisor."""

    @cached_property
    def _redis(self) -> "Redis":
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        return Redis.from_url(
            self._url,
            decode_responses=True,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            # Once and at once: a kept connection may have been cut while nothing was sent.
            retry=Retry(NoBackoff(), 1),
        )

    @contextmanager
    def _answers(self) -> Iterator[None]:
        from redis.exceptions import RedisError

        try:
            yield
        except RedisError as error:
            # Its words can hold no password: redis-py names host and port alone.
            raise QueueUnavailable(
                f"The task queue at {address(self._url)} does not work ({error}): start Redis 6.2 or newer, or correct HEIMDEX_REDIS_URL."
            ) from error


def address(url: str) -> str:
    """Return host, port and database of a Redis URL, without user and password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}/{parts.path.lstrip('/') or 0}"


def url_problem(url: str) -> str:
    """Return what is wrong with a Redis URL, or an empty string; never a part of it that could be a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "its port is no number (special characters of a password must be percent-encoded)"
    if parts.scheme not in ("redis", "rediss"):
        return f"it starts with {parts.scheme or 'no scheme'!r}"
    if not parts.hostname:
        return "the host is missing"
    if parts.path.lstrip("/") and not parts.path.lstrip("/").isdecimal():
        return "after the host comes the number of a database, such as /0"
    return ""
