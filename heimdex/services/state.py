"""`run/services.json`: what the supervisor tells `up`, `down` and `status`."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from heimdex.database.private_files import read_private_json, write_private_json
from heimdex.services.processes import Identity


class Phase(StrEnum):
    DATABASE = "starting PostgreSQL"
    PREPARING = "bringing the database up to date"
    STARTING = "starting the services"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True)
class ServiceState:
    """One service: `process` is None while it waits for its restart (`exit` tells how it ended last)."""

    name: str
    process: Identity | None = None
    restarts: int = 0
    exit: str = ""


@dataclass(frozen=True)
class State:
    supervisor: Identity
    phase: Phase
    url: str = ""
    error: str = ""
    services: tuple[ServiceState, ...] = field(default=())


def state_path(home: Path) -> Path:
    return home / "run" / "services.json"


def write_state(home: Path, state: State) -> None:
    write_private_json(state_path(home), asdict(state))


def read_state(home: Path) -> State | None:
    """Return the last state, or None when there is none that makes sense; its supervisor may be gone."""
    content = read_private_json(state_path(home))
    if content is None:
        return None
    try:
        return State(
            supervisor=Identity(**content["supervisor"]),
            phase=Phase(content["phase"]),
            url=content["url"],
            error=content["error"],
            services=tuple(_service(service) for service in content["services"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _service(content: dict[str, Any]) -> ServiceState:
    process = content["process"]
    return ServiceState(**{**content, "process": Identity(**process) if process else None})
