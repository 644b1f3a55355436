"""State files under `run/`: JSON that only its owner may read and that is never seen half written."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from heimdex.private_files import write_private_text


@dataclass(frozen=True)
class EmbeddedServerState:
    """What other processes need to connect to the embedded server, stored in `run/postgres.json`.

    `user` and `password` are the superuser's. Port and passwords survive a stop, so that the next start uses the same URL; `pid` is None
    while the server is stopped. An older version wrote no `application_password`: the next start makes one.
    """

    port: int
    password: str
    user: str
    database: str
    pid: int | None
    application_password: str = ""


def get_server_state_path(home: Path) -> Path:
    return home / "run" / "postgres.json"


def read_server_state(home: Path) -> EmbeddedServerState | None:
    """Return the last state, or None when there is no valid one."""
    content = read_private_json(get_server_state_path(home))
    try:
        return EmbeddedServerState(**content) if content else None
    except TypeError:
        return None


def write_server_state(home: Path, state: EmbeddedServerState) -> None:
    write_private_json(get_server_state_path(home), asdict(state))


def write_private_json(path: Path, content: dict[str, Any]) -> None:
    """Replace `path` atomically with `content`, mode 0600; create its directory when missing."""
    write_private_text(path, json.dumps(content))


def read_private_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in `path`; None when the file is missing or holds anything else."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None
