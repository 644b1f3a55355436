"""A lock that a command holds while it works, over many transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from django.contrib.contenttypes.models import ContentType
from django.db.models import BooleanField, Func, Value


@contextmanager
def try_lock(name: str) -> Iterator[bool]:
    """Yield whether this session got the lock of a name, and release it afterwards. It goes with the connection to the database, too."""
    has_lock = _call("pg_try_advisory_lock", name)
    try:
        yield has_lock
    finally:
        if has_lock:
            _call("pg_advisory_unlock", name)


def _call(function: str, name: str) -> bool:
    key = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
    # Any table that has rows in every installation.
    rows = ContentType.objects.annotate(answer=Func(Value(key), function=function, output_field=BooleanField()))
    return bool(rows.order_by().values_list("answer", flat=True)[:1].get())
