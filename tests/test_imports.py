"""Importing any module needs no network, no database, no model, and no package that only workers install."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PROGRAM = """
import importlib, pkgutil, socket, sys

def refuse(*args, **kwargs):
    raise AssertionError("a socket was opened while importing")

socket.socket.connect = refuse
for package in WORKER_ONLY:
    sys.modules[package] = None  # importing it raises ImportError

import django
django.setup()
for root in ("heimdex", "videos", "people", "reprocess"):
    package = importlib.import_module(root)
    for module in pkgutil.walk_packages(package.__path__, root + "."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)

from django.test import RequestFactory
from django.urls import reverse
assert reverse("search") == "/v1/search"
from reprocess.spec import get_effective_spec
assert len(get_effective_spec().list_channels()) >= 4
print("imported")
"""
WORKER_ONLY = (
    "av",
    "cv2",
    "ctranslate2",
    "dlib",
    "efficientnet_lite_pytorch",
    "faster_whisper",
    "open_clip",
    "pillow_heif",
    "sentence_transformers",
    "timm",
    "torch",
    "torchvision",
    "transformers",
)


def test_every_module_can_be_imported_by_a_web_server_without_any_model() -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("WORKER_ONLY", repr(WORKER_ONLY))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.stdout.strip().endswith("imported"), result.stderr[-3000:]
