"""The two accounts of the demo, an owner and an admin. Their random passwords are stored in the home directory."""

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
    """An e-mail address and a password."""

    email: str
    password: str


def ensure_logins(home: Path, url: str, manage: list[str]) -> tuple[Login, Login]:
    """Return the logins of the owner and the admin. Create missing accounts. The owner registers over HTTP like any user."""
    owner, admin = _load_or_create(home / "demo" / "logins.json")
    anonymous = Client(url)
    try:
        anonymous.log_in(owner.email, owner.password)
    except ApiError:
        anonymous.post("/v1/auth/register", {"email": owner.email, "password": owner.password, "name": "Demo"})
    try:
        Client(url).log_in(admin.email, admin.password)
    except ApiError:
        command = [*manage, "createsuperuser", "--noinput", "--email", admin.email]
        subprocess.run(command, env={**os.environ, "DJANGO_SUPERUSER_PASSWORD": admin.password}, check=True, capture_output=True, text=True)
    return owner, admin


def _load_or_create(path: Path) -> tuple[Login, Login]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        logins = [Login(email, secrets.token_urlsafe(9)) for email in (OWNER, ADMIN)]
        scratch = path.with_suffix(".new")
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps([asdict(login) for login in logins]))
        scratch.replace(path)
    owner, admin = (Login(**login) for login in json.loads(path.read_text()))
    return owner, admin
