"""Probe the parts of the surroundings: whether the work that waits for one of them can continue."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from heimdex.outages.classify import OutageKind
from heimdex.storage import get_media_storage

DISK_FULL = "The disk of {folder} has {free} MB free, and {least} MB are kept for the database and the workers: free some space."
_MIB = 1024 * 1024
# The apps above this one register what they can probe.
_registered: dict[OutageKind, Callable[[], str]] = {}


def register_probe(kind: OutageKind, find_problem: Callable[[], str]) -> None:
    """Probe a part with this function, which returns what keeps it from working. Call it in `AppConfig.ready`."""
    _registered[kind] = find_problem


def find_problem(kind: OutageKind) -> str:
    """Return what keeps the part from working, for operators. Empty when it works."""
    match kind:
        case OutageKind.STORAGE:
            return " ".join(get_media_storage().check())
        case OutageKind.MODEL:
            return " ".join(problem for alias in settings.MODEL_BACKENDS for problem in _check_model(alias))
        case OutageKind.DISK:
            return _check_disk()
        case OutageKind.DATABASE:
            # Where it is recorded, it answers.
            return "" if connection.is_usable() else "The database cannot be reached."
        case OutageKind.SEARCH:
            return _registered[kind]()


def _check_model(alias: str) -> list[str]:
    from heimdex.backends import backends

    try:
        problems: list[str] = backends[alias].check()
    except ImproperlyConfigured as error:
        return [str(error)]
    return problems


def _check_disk() -> str:
    """Check this machine's disk. On several machines, one that has space takes over the work of those that have none."""
    storage = get_media_storage()
    try:
        free = storage.measure_scratch_bytes()
        storage.check_scratch()
    except OSError as error:
        return f"Cannot write to {storage.scratch} ({error.strerror}): free some space, or correct HEIMDEX_HOME."
    if free < settings.DISK_RESERVE_BYTES:
        return DISK_FULL.format(folder=storage.scratch, free=free // _MIB, least=settings.DISK_RESERVE_BYTES // _MIB)
    return ""
