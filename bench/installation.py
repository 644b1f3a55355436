"""A temporary installation for the benchmarks: a scratch home directory with its own PostgreSQL."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.scale_database import LIBRARIES
from heimdex.environment import QUALITY_SETS

# Where judged sets and filled libraries are, and where words are searched: the goals of quality are the same with OpenSearch.
_KEPT = (QUALITY_SETS, LIBRARIES, "HEIMDEX_LEXICAL", "HEIMDEX_OPENSEARCH_")


@contextmanager
def set_up_installation() -> Iterator[None]:
    """Set up Django on an empty database with default settings (except for _KEPT), and remove everything at the end."""
    # Without this, SIGTERM would leave the PostgreSQL server running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended before all benchmarks were complete."))
    for name in [name for name in os.environ if name.startswith("HEIMDEX_") and not name.startswith(_KEPT)]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="heimdex-bench-") as home:
        os.environ |= {"HEIMDEX_HOME": home, "HEIMDEX_LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "heimdex.settings"}
        from heimdex.database.server import EmbeddedServer

        server = EmbeddedServer(Path(home))
        os.environ["HEIMDEX_DATABASE_URL"] = server.start().url
        try:
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            yield
        finally:
            server.stop()


@contextmanager
def override_models(**aliases: Mapping[str, Any]) -> Iterator[None]:
    """Replace entries of settings.MODEL_BACKENDS by alias for a block."""
    from django.conf import settings
    from django.test import override_settings

    with override_settings(MODEL_BACKENDS=settings.MODEL_BACKENDS | aliases):
        yield


def empty_database() -> None:
    """Delete all rows, so that each benchmark starts with an empty library."""
    from django.core.management import call_command
    from django.db import connection

    call_command("flush", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
