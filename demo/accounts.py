"""The two log-ins of the demo: an owner, and an admin. Their passwords are made up once and kept in the home directory."""

import json
import os
import secrets
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from demo.client import ApiError, Client

OWNER = "demo@example.org"
ADMIN = "admin@example.org"


@dataclass(frozen=True)
class Login:
    """An address and a password."""

    email: str
    password: str


def ensure_logins(home: Path, address: str, manage: list[str]) -> tuple[Login, Login]:
    """Return the owner's and the admin's log-in; accounts that are not there yet are made, the owner's as anybody registers."""
    owner, admin = _remembered(home / "demo" / "logins.json")
    anybody = Client(address)
    try:
        anybody.log_in(owner.email, owner.password)
    except ApiError:
        anybody.post("/v1/auth/register", {"email": owner.email, "password": owner.password, "name": "Demo"})
    try:
        Client(address).log_in(admin.email, admin.password)
    except ApiError:
        command = [*manage, "createsuperuser", "--noinput", "--email", admin.email]
        subprocess.run(command, env={**os.environ, "DJANGO_SUPERUSER_PASSWORD": admin.password}, check=True, capture_output=True, text=True)
    return owner, admin


def _remembered(path: Path) -> tuple[Login, Login]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = [Login(email, secrets.token_urlsafe(9)) for email in (OWNER, ADMIN)]
        scratch = path.with_suffix(".new")
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps([asdict(login) for login in made]))
        scratch.replace(path)
    owner, admin = (Login(**login) for login in json.loads(path.read_text()))
    return owner, admin
