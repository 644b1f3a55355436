"""Which log lines of libraries are kept and which are dropped."""

import subprocess
import sys

import pytest

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
