"""What `status` shows: the state of every service, as data and as a table."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from heimdex.database.server import EmbeddedServer
from heimdex.services.control import running_state
from heimdex.services.logs import log_path
from heimdex.services.processes import marked_processes, tree_memory
from heimdex.services.state import Phase, ServiceState


@dataclass(frozen=True)
class ServiceReport:
    """`state` is running, waiting (for its restart) or stopped; memory counts the service's descendants too."""

    name: str
    state: str
    pid: int | None
    uptime_s: int | None
    restarts: int
    rss_bytes: int
    last_exit: str
    log: str


@dataclass(frozen=True)
class Report:
    running: bool
    phase: str
    url: str
    services: tuple[ServiceReport, ...]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def report(home: Path) -> Report:
    """Look at what runs now; `running` means that all of it does.

    `phase` is "without supervisor" when somebody killed the supervisor and what it started runs on.
    """
    state = running_state(home)
    if state is None:
        orphaned = bool(marked_processes(home)) or EmbeddedServer(home).is_running()
        return Report(running=False, phase="without supervisor" if orphaned else "stopped", url="", services=())
    services = tuple(_service(home, service) for service in state.services)
    everything = state.phase is Phase.RUNNING and all(service.state == "running" for service in services)
    return Report(everything, state.phase.value, state.url, services)


def table(current: Report) -> Table:
    """Lay the report out for a terminal."""
    view = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("service", "state", "pid", "up", "restarts", "memory", "last exit"):
        view.add_column(title)
    for service in current.services:
        view.add_row(
            service.name,
            f"[{'green' if service.state == 'running' else 'red'}]{service.state}[/]",
            str(service.pid or "—"),
            "—" if service.uptime_s is None else _duration(service.uptime_s),
            str(service.restarts),
            f"{service.rss_bytes / 1024**2:.0f} MB",
            service.last_exit or "—",
        )
    return view


def _service(home: Path, service: ServiceState) -> ServiceReport:
    process = service.process and service.process.find()
    return ServiceReport(
        name=service.name,
        state="running" if process else "waiting",
        pid=process.pid if process else None,
        uptime_s=int(time.time() - process.create_time()) if process else None,
        restarts=service.restarts,
        rss_bytes=tree_memory(process) if process else 0,
        last_exit=service.exit,
        log=str(log_path(home, service.name)),
    )


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
