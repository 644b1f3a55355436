"""django-q's broker protocol on Redis, with receipts: a taken task stays in Redis until it is acknowledged.

django-q's own Redis broker removes a task before it is done, so it loses the tasks of a killed worker.
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

# A request waits at most this long for a queue that does not respond. Then, for some seconds, none waits.
CONNECT_TIMEOUT_S = RESPONSE_TIMEOUT_S = 2
_IGNORE_S = 10.0
# Of a worker, which can wait: a task that is taken while its reader has given up stays unacknowledged.
_DEQUEUE_TIMEOUT_S = 5
_BLOCK_S = 1
_RETRY_DELAY_S = 1.0


class QueueUnavailable(Exception):
    """Redis cannot be reached or rejects us; the message names its host and the setting, never the password."""


class RedisBroker:
    """One queue: a list of waiting tasks and a list of unacknowledged ones. Needs Redis 6.2 or Valkey."""

    def __init__(self, url: str, queue: str) -> None:
        self.list_key = queue
        self._url = url
        self._waiting = f"heimdex:{queue}"
        self._unacked = f"heimdex:{queue}:taken"
        self._ignored_until = 0.0
        self._may_have_lost_a_task = False

    def enqueue(self, task: str) -> None:
        """Append a signed task. Raise QueueUnavailable when Redis cannot be reached."""
        with self._translate_errors():
            self._redis.rpush(self._waiting, task)

    def dequeue(self) -> list[tuple[str, str]] | None:
        """Take the oldest task and return it with its receipt, or None after a second without one. An outage is only logged.

        After an outage, unacknowledged tasks return to the queue: a frozen server executes a command although its client has given up.
        """
        try:
            if self._may_have_lost_a_task:
                self.requeue_unacked()
                self._may_have_lost_a_task = False
            with self._translate_errors(waits=True):
                task: Any = self._patient_redis.blmove(self._waiting, self._unacked, _BLOCK_S, "LEFT", "RIGHT")
        except QueueUnavailable as error:
            self._may_have_lost_a_task = True
            log.warning("Cannot dequeue tasks", queue=self.list_key, reason=str(error))
            time.sleep(_RETRY_DELAY_S)
            return None
        return [(task, task)] if task else None

    def acknowledge(self, receipt: str) -> None:
        """Remove a finished task. During an outage it stays and runs once more later."""
        try:
            with self._translate_errors():
                self._redis.lrem(self._unacked, 1, receipt)
        except QueueUnavailable as error:
            log.warning("Cannot acknowledge a finished task", queue=self.list_key, reason=str(error))

    fail = delete = acknowledge

    def requeue_unacked(self) -> None:
        """Return unacknowledged tasks to the front of the queue."""
        with self._translate_errors():
            for _ in range(self.lock_size()):
                self._redis.lmove(self._unacked, self._waiting, "RIGHT", "LEFT")

    def queue_size(self) -> int:
        """Count waiting tasks."""
        with self._translate_errors():
            return int(self._redis.llen(self._waiting))

    def lock_size(self) -> int:
        """Count unacknowledged tasks."""
        with self._translate_errors():
            return int(self._redis.llen(self._unacked))

    def peek(self) -> str | None:
        """Return the next task without taking it, or None."""
        with self._translate_errors():
            task: Any = self._redis.lindex(self._waiting, 0)
        return task  # type: ignore[no-any-return]

    def purge_queue(self) -> None:
        """Delete all tasks."""
        with self._translate_errors():
            self._redis.delete(self._waiting, self._unacked)

    delete_queue = purge_queue

    def ping(self) -> bool:
        """Return True, or raise QueueUnavailable."""
        with self._translate_errors():
            self._redis.ping()
        return True

    def info(self) -> str:
        """Return the broker's name for django-q's log."""
        return f"Redis at {redact_url(self._url)}"

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Do nothing: our own supervisor reports what runs."""

    @cached_property
    def _redis(self) -> "Redis":
        return _build_client(self._url, RESPONSE_TIMEOUT_S)

    @cached_property
    def _patient_redis(self) -> "Redis":
        return _build_client(self._url, _DEQUEUE_TIMEOUT_S)

    @contextmanager
    def _translate_errors(self, *, waits: bool = False) -> Iterator[None]:
        """Raise QueueUnavailable for errors of Redis. Do not ask a server that did not respond a moment ago, unless the caller `waits`."""
        from redis.exceptions import RedisError
        from redis.exceptions import TimeoutError as RedisTimeout

        if not waits and time.monotonic() < self._ignored_until:
            raise QueueUnavailable(self._describe_problem("it did not respond a moment ago"))
        try:
            yield
        except RedisError as error:
            if isinstance(error, RedisTimeout) and not waits:
                self._ignored_until = time.monotonic() + _IGNORE_S
            # The error holds no password: redis-py names only host and port.
            raise QueueUnavailable(self._describe_problem(str(error))) from error

    def _describe_problem(self, reason: str) -> str:
        return (
            f"The task queue at {redact_url(self._url)} does not work ({reason}). Start Redis 6.2 or newer, or correct HEIMDEX_REDIS_URL."
        )


def _build_client(url: str, response_timeout_s: float) -> "Redis":
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.retry import Retry

    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=response_timeout_s,
        # Once, without delay: an idle connection may have been closed. A server that did not respond is not asked again.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )


def redact_url(url: str) -> str:
    """Return host, port and database of a Redis URL, without user and password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}/{parts.path.lstrip('/') or 0}"


def find_url_problem(url: str) -> str:
    """Return what is wrong with a Redis URL, or an empty string; never quote a part that could be a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "its port is not a number (percent-encode special characters of the password)"
    if parts.scheme not in ("redis", "rediss"):
        return f"it starts with {parts.scheme or 'no scheme'!r}"
    if not parts.hostname:
        return "the host is missing"
    if parts.path.lstrip("/") and not parts.path.lstrip("/").isdecimal():
        return "the host must be followed by a database number, such as /0"
    return ""
