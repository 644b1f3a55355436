"""The ingest stages of `videos`, one file each; every module here with a `STAGE` is discovered."""

import pkgutil
from importlib import import_module

from videos.registry import register_stage


def register_stages() -> None:
    """Register the stage of each module in this package. Raise ImproperlyConfigured when two share a name or an order."""
    for info in pkgutil.iter_modules(__path__):
        register_stage(import_module(f"{__name__}.{info.name}").STAGE)
