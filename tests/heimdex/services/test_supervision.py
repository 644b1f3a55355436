"""A real supervisor process, real children and real signals."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from heimdex.database.connection_info import read_embedded_connection
from heimdex.services import ServiceError
from heimdex.services.commands import read_running_state, start_services, stop_services
from heimdex.services.log_files import get_log_path
from heimdex.services.processes import list_marked_processes
from heimdex.services.report import ServiceReport, build_report
from heimdex.services.state import Phase, SupervisorState, get_state_path, is_locked

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "a home"
    home.mkdir()
    yield home
    stop_services(home)


def start(home: Path, behavior: str = "family", on_phase: Callable[[Phase], None] = lambda phase: None) -> tuple[SupervisorState, bool]:
    return start_services(home, on_phase, [sys.executable, "-m", "tests.heimdex.services.stand_in", str(home), behavior])


def get_only_service(home: Path) -> ServiceReport:
    return build_report(home).services[-1]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.05)


def list_helpers(home: Path) -> list[int]:
    return [
        int(line.split()[1]) for line in (home / "family.txt").read_text().splitlines() if line.startswith("helper ") and "got" not in line
    ]


def is_nothing_left(home: Path) -> bool:
    return not list_marked_processes(home) and not is_locked(home) and not get_state_path(home).exists()


def test_up_starts_once_and_down_leaves_nothing(home):
    phases: list[Phase] = []
    state, started = start(home, on_phase=phases.append)
    assert started
    assert state.url == "http://stand-in"
    assert Phase.STARTING in phases
    again, started = start(home)
    assert (again.supervisor, started) == (state.supervisor, False)
    report = build_report(home)
    assert report.running
    assert [(service.name, service.state, service.restarts) for service in report.services] == [("family", "running", 0)]
    assert report.services[0].rss_bytes > 0

    assert stop_services(home)
    assert is_nothing_left(home)
    assert not build_report(home).running
    # The main process is responsible for its helpers until it has exited.
    assert (home / "family.txt").read_text().splitlines()[1:] == ["main got SIGTERM"]
    assert not stop_services(home)


def test_a_service_without_heartbeats_is_restarted(home):
    start(home, "silent")
    wait_until(lambda: get_only_service(home).restarts > 0)
    assert "family has sent no heartbeat" in get_log_path(home, "supervisor").read_text()


def test_two_concurrent_ups_start_one_supervisor(home):
    code = (
        "import pathlib, sys; from tests.heimdex.services.test_supervision import start;"
        "state, started = start(pathlib.Path(sys.argv[1])); print(state.supervisor.pid, started)"
    )
    ups = [subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [process.communicate(timeout=60)[0].split() for process in ups]
    assert len({pid for pid, _ in answers}) == 1
    assert [started for _, started in answers].count("True") == 1


def test_a_killed_service_is_restarted_and_its_children_are_killed(home):
    start(home)
    before = get_only_service(home)
    assert before.pid is not None
    orphan = list_helpers(home)[0]
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: get_only_service(home).restarts == 1 and get_only_service(home).state == "running" and len(list_helpers(home)) == 2)
    after = get_only_service(home)
    assert after.pid != before.pid
    assert after.last_exit == "signal 9"
    assert not psutil.pid_exists(orphan)
    assert psutil.pid_exists(list_helpers(home)[1])
    assert "family exited (signal 9)" in (home / "logs" / "supervisor.log").read_text()


def test_a_service_that_does_not_stop_is_killed_with_its_helpers(home):
    start(home, "stubborn")
    helper = list_helpers(home)[0]
    stop_services(home)
    assert is_nothing_left(home)
    assert not psutil.pid_exists(helper)


@pytest.mark.parametrize("then", ["down", "up"])
def test_processes_of_a_killed_supervisor_are_found(home, then):
    state, _ = start(home)
    orphan, helper = get_only_service(home).pid, list_helpers(home)[0]
    os.kill(state.supervisor.pid, signal.SIGKILL)
    wait_until(lambda: read_running_state(home) is None)
    assert build_report(home).phase == "without supervisor"
    assert orphan is not None
    assert psutil.pid_exists(orphan)
    if then == "down":
        assert stop_services(home)
        assert is_nothing_left(home)
    else:
        restarted, started = start(home)
        assert started
        assert restarted.supervisor != state.supervisor
        assert build_report(home).running
    assert not psutil.pid_exists(helper)
    assert not any(process.pid == orphan for process in list_marked_processes(home))


def test_a_state_file_that_names_another_process_is_ignored(home):
    start(home)
    stop_services(home)
    get_state_path(home).write_text(
        f'{{"supervisor": {{"pid": {os.getpid()}, "create_time": 1.0}}, "phase": "running", "url": "", "error": "", "services": []}}'
    )
    assert not build_report(home).running
    assert not stop_services(home)
    assert start(home)[1]


def test_a_removed_home_stops_its_services(home):
    state, _ = start(home)
    helper = list_helpers(home)[0]
    shutil.rmtree(home)
    wait_until(lambda: state.supervisor.find() is None)
    assert not list_marked_processes(home)
    assert not psutil.pid_exists(helper)


def test_a_failed_migration_is_quoted_and_everything_stops(home):
    with pytest.raises(ServiceError, match=r"migrate failed \(exit code 1\)") as failure:
        start(home, "no migration")
    assert "no such table" in str(failure.value)
    assert str(home / "logs" / "migrate.log") in str(failure.value)
    assert not list_marked_processes(home)
    assert not is_locked(home)


def test_a_service_that_never_starts_fails_up_with_its_last_lines(home):
    with pytest.raises(ServiceError, match=r"dying does not start \(exit code 3\)") as failure:
        start(home, "dying")
    assert "out of cheese" in str(failure.value)
    assert not is_locked(home)


def test_ctrl_c_during_up_stops_what_it_started(home):
    def interrupt(phase: Phase) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(home, on_phase=interrupt)
    assert is_nothing_left(home)
    assert start(home)[1]


def test_a_killed_database_restarts_at_the_same_url(home):
    start(home, "database")
    connection = read_embedded_connection(home)
    database = build_report(home).services[0]
    assert (database.name, database.state) == ("postgres", "running")
    assert connection is not None
    assert database.pid is not None
    os.kill(database.pid, signal.SIGKILL)
    wait_until(lambda: build_report(home).services[0].restarts == 1 and build_report(home).running)
    assert read_embedded_connection(home) == connection
    psycopg.connect(connection.url).close()
    assert stop_services(home)
    assert is_nothing_left(home)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(connection.url)


def test_a_removed_data_directory_stops_everything_and_is_not_created_again(home):
    state, _ = start(home, "database")
    database = build_report(home).services[0]
    assert database.pid is not None
    shutil.rmtree(home / "postgres")
    os.kill(database.pid, signal.SIGKILL)
    wait_until(lambda: state.supervisor.find() is None)
    assert not (home / "postgres").exists()
    assert "postgres has disappeared. Restore it from a backup" in (home / "logs" / "supervisor.log").read_text()
    assert not list_marked_processes(home)
