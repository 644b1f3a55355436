"""The status says in its first line whether anything does not run."""

import pytest

from heimdex.services.report import ServiceReport, StatusReport


def report(phase: str, *states: str) -> StatusReport:
    names = ("postgres", "web", "uploads")
    services = tuple(ServiceReport(name, state, None, None, 0, 0, "", f"{name}.log") for name, state in zip(names, states, strict=False))
    return StatusReport(running=set(states) == {"running"}, phase=phase, url="http://localhost:8000", services=services)


@pytest.mark.parametrize(
    ("phase", "states", "headline"),
    [
        ("running", ("running", "running", "running"), "Heimdex is running at http://localhost:8000"),
        ("running", ("running", "waiting", "waiting"), "2 of 3 services do not run: web, uploads. See their logs."),
        ("starting", ("running", "waiting", "waiting"), "Heimdex is starting at http://localhost:8000"),
    ],
)
def test_the_headline_names_the_services_that_do_not_run(phase: str, states: tuple[str, ...], headline: str) -> None:
    assert report(phase, *states).headline == headline
