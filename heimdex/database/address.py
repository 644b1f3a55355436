"""Where the database is, and the Django settings that lead there."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from heimdex.database.record import read_record
from heimdex.environment import Environment

APPLICATION_NAME = "heimdex"


@dataclass(frozen=True)
class Address:
    """A PostgreSQL database and how to log in to it."""

    host: str
    port: int
    user: str
    password: str
    database: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """Return `postgres://…` with every part percent-encoded, as HEIMDEX_DATABASE_URL takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in self.options)
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgres://{login}@{host}:{self.port}/{quote(self.database, safe='')}" + (f"?{query}" if query else "")

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a `postgres://user:password@host:port/name` address; ImproperlyConfigured says what is wrong with it."""
        problem = "HEIMDEX_DATABASE_URL must look like postgres://user:password@host:5432/name (special characters percent-encoded); "
        try:
            parts = urlsplit(url)
            port = parts.port or 5432
        except ValueError:
            # Its own words could quote a part of the password.
            raise ImproperlyConfigured(f"{problem}its port is no number.") from None
        database = unquote(parts.path.lstrip("/"))
        if parts.scheme not in ("postgres", "postgresql"):
            raise ImproperlyConfigured(f"{problem}it starts with {parts.scheme or 'no scheme'!r}.")
        if not parts.hostname or not database:
            raise ImproperlyConfigured(f"{problem}the {'database name' if parts.hostname else 'host'} is missing.")
        return cls(
            host=unquote(parts.hostname),
            port=port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=database,
            options=tuple(parse_qsl(parts.query)),
        )


def embedded_address(home: Path) -> Address | None:
    """Return where the embedded server of this home was last started, or None if it never was."""
    record = read_record(home)
    return Address("127.0.0.1", record.port, record.user, record.password, record.database) if record else None


def database_settings(environment: Environment) -> dict[str, Any]:
    """Return Django's DATABASES["default"]; it never starts a server, so without one the first connection fails instead."""
    if environment.database_url:
        try:
            address = Address.parse(environment.database_url)
        except ImproperlyConfigured as error:
            sys.exit(f"Heimdex cannot start; correct the environment: {error}")
    else:
        # The name is what a connection error shows when the server was never started.
        address = embedded_address(environment.home) or Address("127.0.0.1", 1, "heimdex", "", "not started, run `python manage.py up`")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": address.host,
        "PORT": address.port,
        "USER": address.user,
        "PASSWORD": address.password,
        "NAME": address.database,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": APPLICATION_NAME, **dict(address.options)},
    }
