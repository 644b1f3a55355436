#!/usr/bin/env python
"""Run Heimdex's commands; `python manage.py help` lists them."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heimdex.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed for this Python. Run `make setup`, then use .venv/bin/python manage.py …")
    except KeyboardInterrupt:
        sys.exit(130)
    from django.db import OperationalError, ProgrammingError

    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
    except (OperationalError, ProgrammingError) as error:
        from django.conf import settings

        from heimdex.database.connection_info import describe_database_error

        message = describe_database_error(error, settings.DATABASES["default"], is_embedded=not settings.ENVIRONMENT.database_url)
        if "--traceback" in sys.argv or not message:
            raise
        sys.exit(message)


if __name__ == "__main__":
    main()
