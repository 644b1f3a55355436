"""The output of `status`: the state of every service, as data and as a table."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from heimdex.database.server import EmbeddedServer
from heimdex.services.commands import read_running_state
from heimdex.services.log_files import get_log_path
from heimdex.services.processes import list_marked_processes, measure_tree_memory
from heimdex.services.state import Phase, ServiceState


@dataclass(frozen=True)
class ServiceReport:
    """`state` is "running" or "waiting" (for its restart); memory includes the service's descendants."""

    name: str
    state: str
    pid: int | None
    uptime_s: int | None
    restarts: int
    rss_bytes: int
    last_exit: str
    log: str


@dataclass(frozen=True)
class StatusReport:
    running: bool
    phase: str
    url: str
    services: tuple[ServiceReport, ...]

    @property
    def headline(self) -> str:
        """A sentence about everything: the phase and the URL, or the services that do not run."""
        waiting = [service.name for service in self.services if service.state != "running"]
        if self.phase == Phase.RUNNING.value and waiting:
            return f"{len(waiting)} of {len(self.services)} services do not run: {', '.join(waiting)}. See their logs."
        return f"Heimdex is {self.phase} at {self.url}"

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def build_report(home: Path) -> StatusReport:
    """Return what runs now; `running` means that every service does.

    `phase` is "without supervisor" when the supervisor was killed and its services still run.
    """
    state = read_running_state(home)
    if state is None:
        is_orphaned = bool(list_marked_processes(home)) or EmbeddedServer(home).is_running()
        return StatusReport(running=False, phase="without supervisor" if is_orphaned else "stopped", url="", services=())
    services = tuple(_report_service(home, service) for service in state.services)
    is_complete = state.phase is Phase.RUNNING and all(service.state == "running" for service in services)
    return StatusReport(is_complete, state.phase.value, state.url, services)


def render_table(report: StatusReport) -> Table:
    """Render the report for a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("service", "state", "pid", "up", "restarts", "memory", "last exit"):
        table.add_column(title)
    for service in report.services:
        table.add_row(
            service.name,
            f"[{'green' if service.state == 'running' else 'red'}]{service.state}[/]",
            str(service.pid or "—"),
            "—" if service.uptime_s is None else _format_duration(service.uptime_s),
            str(service.restarts),
            f"{service.rss_bytes / 1024**2:.0f} MB",
            service.last_exit or "—",
        )
    return table


def _report_service(home: Path, service: ServiceState) -> ServiceReport:
    process = service.process and service.process.find()
    return ServiceReport(
        name=service.name,
        state="running" if process else "waiting",
        pid=process.pid if process else None,
        uptime_s=int(time.time() - process.create_time()) if process else None,
        restarts=service.restarts,
        rss_bytes=measure_tree_memory(process) if process else 0,
        last_exit=service.exit,
        log=str(get_log_path(home, service.name)),
    )


def _format_duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
