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
