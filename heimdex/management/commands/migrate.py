"""Django's `migrate`, which waits for locks only briefly: queries behind a waiting ALTER TABLE would wait as long as it does."""

from argparse import ArgumentParser
from time import sleep
from typing import Any

import structlog
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

log = structlog.get_logger(__name__)

ATTEMPTS = 5
LOCKED = (
    "Another transaction has held a lock that a migration needs: {attempts} attempts waited {seconds} s each. That migration has changed "
    "nothing, and earlier ones are done. Run `manage.py migrate` again when there is less traffic, or find the transaction in "
    "pg_stat_activity (ORDER BY xact_start)."
)


class Command(DjangoMigrate):
    help = "Apply migrations. A migration that waits for a lock is tried again, so that nobody waits behind it for long."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)  # type: ignore[arg-type]
        parser.add_argument(
            "--lock-timeout", type=int, default=5, metavar="SECONDS", help="longest wait for a lock, per attempt (default 5)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._database: str = options["database"]
        self._lock_timeout_s: int = options["lock_timeout"]
        try:
            for left in reversed(range(ATTEMPTS)):
                try:
                    super().handle(*args, **options)
                    return
                except OperationalError as error:
                    if not isinstance(error.__cause__, LockNotAvailable):
                        raise
                    if not left:
                        raise CommandError(LOCKED.format(attempts=ATTEMPTS, seconds=self._lock_timeout_s)) from error
                    log.warning("A migration could not get a lock and is tried again", attempts_left=left)
                    # Let those who waited behind it finish.
                    sleep(self._lock_timeout_s)
        finally:
            self._limit_locks(0)

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        """Set the time limit of the migration that begins.

        A migration without a transaction has none: an index that is built concurrently waits for others but blocks nobody, and would be
        left invalid.
        """
        if action in ("apply_start", "unapply_start"):
            self._limit_locks(self._lock_timeout_s if migration.atomic else 0)
        super().migration_progress_callback(action, migration, fake)

    def _limit_locks(self, seconds: int) -> None:
        connection = connections[self._database]
        # Without a connection, there is no session to limit.
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{seconds}s"])
