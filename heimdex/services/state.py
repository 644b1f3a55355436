"""`run/services.json`: the supervisor's state, read by `up`, `down` and `status`."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from heimdex.database.state_file import read_private_json, write_private_json
from heimdex.services.processes import ProcessIdentity


class Phase(StrEnum):
    DATABASE = "starting PostgreSQL"
    MIGRATING = "migrating the database"
    STARTING = "starting the services"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True)
class ServiceState:
    """One service: `process` is None while it waits for its restart; `exit` describes its last exit."""

    name: str
    process: ProcessIdentity | None = None
    restarts: int = 0
    exit: str = ""


@dataclass(frozen=True)
class SupervisorState:
    supervisor: ProcessIdentity
    phase: Phase
    url: str = ""
    error: str = ""
    services: tuple[ServiceState, ...] = field(default=())


def state_path(home: Path) -> Path:
    return home / "run" / "services.json"


def write_state(home: Path, state: SupervisorState) -> None:
    write_private_json(state_path(home), asdict(state))


def read_state(home: Path) -> SupervisorState | None:
    """Return the last state, or None when there is no valid one; its supervisor may be dead."""
    content = read_private_json(state_path(home))
    if content is None:
        return None
    try:
        return SupervisorState(
            supervisor=ProcessIdentity(**content["supervisor"]),
            phase=Phase(content["phase"]),
            url=content["url"],
            error=content["error"],
            services=tuple(_parse_service(service) for service in content["services"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _parse_service(content: dict[str, Any]) -> ServiceState:
    process = content["process"]
    return ServiceState(**{**content, "process": ProcessIdentity(**process) if process else None})
