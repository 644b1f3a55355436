"""An installation of its own for the time of the benchmarks: a scratch home with a PostgreSQL in it."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def installation() -> Iterator[None]:
    """Set Django up on an empty database with the server's usual settings; remove everything afterwards."""
    # Or a server would be left behind by whoever ends the benchmarks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended before all was measured."))
    for name in [name for name in os.environ if name.startswith("HEIMDEX_")]:
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
def models(**aliases: Mapping[str, Any]) -> Iterator[None]:
    """Replace models for a block: the alias, and what MODEL_BACKENDS says of it."""
    from django.conf import settings
    from django.test import override_settings

    with override_settings(MODEL_BACKENDS=settings.MODEL_BACKENDS | aliases):
        yield


def empty_database() -> None:
    """Remove all rows, so that one benchmark's library is not another's."""
    from django.core.management import call_command
    from django.db import connection

    call_command("flush", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
