"""The command that trains the ranking starts without a configured Django, and says what it needs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_without_judged_sets_it_names_the_setting(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment["HEIMDEX_QUALITY_SETS"] = str(tmp_path)
    command = [sys.executable, "-m", "bench.train_ranking"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.strip() == f"There are no judged sets in {tmp_path}. Set HEIMDEX_QUALITY_SETS to the folder with A_queries.jsonl."
