"""The commands of the benchmarks start without a configured Django, and say what they need."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_module(name: str, *arguments: str, quality_sets: Path) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment["HEIMDEX_QUALITY_SETS"] = str(quality_sets)
    command = [sys.executable, "-m", name, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_training_without_judged_sets_names_the_setting(tmp_path: Path) -> None:
    ended = run_module("bench.train_ranking", quality_sets=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.strip() == f"There are no judged sets in {tmp_path}. Set HEIMDEX_QUALITY_SETS to the folder with A_queries.jsonl."


def test_an_unknown_benchmark_names_those_that_exist(tmp_path: Path) -> None:
    ended = run_module("bench", "P99", quality_sets=tmp_path)
    assert (ended.returncode, ended.stderr) == (2, "")
    assert ended.stdout.startswith("There is no benchmark P99. Choose from F1,")
