"""Which log lines of libraries are kept and which are dropped."""

import subprocess
import sys

import pytest

from heimdex.logs import choose_level

PROGRAM = """
import logging
from heimdex.embedders.torch_runtime import import_torchvision
from heimdex.logs import configure_logging
configure_logging("console", "INFO")
import_torchvision()
import open_clip
open_clip.create_model("ViT-S-32-alt")
logging.getLogger("heimdex.speaks").info("It works")
logging.warning("A library warns")
for name in ("openai", "httpx", "httpx2"):
    logging.getLogger(name + "._client").info("HTTP Request: POST …")
"""


@pytest.fixture(scope="module")
def log() -> str:
    return subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stderr


def test_info_lines_of_libraries_are_dropped(log: str) -> None:
    lines = [line for line in log.splitlines() if "[info" in line]
    assert len(lines) == 1
    assert "It works" in lines[0]


def test_warnings_of_libraries_are_kept(log: str) -> None:
    assert "A library warns" in log


CANARY = "c4n4ry-Pa55word"
FAULTS = f"""
import logging
import structlog
from heimdex.logs import configure_logging
from heimdex.redaction import register_secrets
register_secrets(["{CANARY}-of-the-installation"])
configure_logging(FORMAT, "INFO")

def fail(password):
    url = f"postgresql://heimdex:{{password}}@db/heimdex"
    raise RuntimeError(f"cannot connect to {{url}}")

logs = [logging.getLogger(name) for name in ("django.request", "gunicorn.error", "django-q")]
for log in (structlog.get_logger("heimdex"), *logs):
    try:
        fail("{CANARY}")
    except RuntimeError as error:
        log.exception("It failed")
        log.warning("It failed: %s", error)
structlog.get_logger("heimdex").info("Log-in", password="{CANARY}", headers={{"cookie": "{CANARY}"}}, path="/v1/files/{CANARY}:abc")
logging.getLogger("gunicorn.access").info("GET /v1/files/{CANARY} HTTP/1.1")
logging.getLogger("django.server").info('"GET %s HTTP/1.1"', "/v1/files/{CANARY}")
structlog.get_logger("heimdex").info("{CANARY}-of-the-installation")
"""


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_record_contains_a_secret_or_a_local_variable(log_format: str) -> None:
    program = FAULTS.replace("FORMAT", repr(log_format))
    log = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr
    assert CANARY not in log
    # Everything else about the fault is there.
    assert log.count("cannot connect to postgresql://[redacted]@db/heimdex") >= 8
    assert log.count("/v1/files/[redacted]") == 3
    assert "in fail" in log or '"name": "fail"' in log


@pytest.mark.parametrize(
    ("arguments", "level"),
    [
        ("manage.py reconcile --repair", "WARNING"),
        ("/srv/manage.py search boat --owner owner@example.org", "WARNING"),
        ("manage.py", "WARNING"),
        ("manage.py reconcile -v", "WARNING"),
        ("manage.py reconcile -v 1", "WARNING"),
        ("manage.py reconcile -v 2", "INFO"),
        ("manage.py reconcile --verbosity=3", "INFO"),
        ("manage.py work uploads", "INFO"),
        ("manage.py runserver", "INFO"),
        ("/usr/bin/gunicorn heimdex.wsgi", "INFO"),
        ("", "INFO"),
    ],
)
def test_commands_log_their_steps_only_on_request(arguments: str, level: str) -> None:
    assert choose_level("console", "INFO", arguments.split(" ")) == level
    assert choose_level("json", "INFO", arguments.split(" ")) == "INFO"
    assert choose_level("console", "ERROR", arguments.split(" ")) == "ERROR"


PLAN = """
import sys
sys.argv = ["manage.py", "spec", *ARGUMENTS]
import django
django.setup()
import structlog
structlog.get_logger("reprocess.runs").info("Queued reprocessing")
"""


@pytest.mark.parametrize(("arguments", "is_logged"), [([], False), (["-v", "2"], True)])
def test_the_settings_choose_the_level_by_the_command(arguments: list[str], is_logged: bool) -> None:
    program = PLAN.replace("ARGUMENTS", repr(arguments))
    log = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr
    assert ("Queued reprocessing" in log) == is_logged
