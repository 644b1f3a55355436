"""`manage.py check --tag models`, as an operator runs it."""

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def check(*arguments: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    # The suite configures a hashing embedder.
    inherited = {name: value for name, value in os.environ.items() if name != "HEIMDEX_MODELS"}
    environment = inherited | {f"HEIMDEX_{name}": value for name, value in variables.items()}
    environment |= {"HEIMDEX_HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_HOME": str(home / "hub")}
    return subprocess.run(
        [sys.executable, str(CHECKOUT / "manage.py"), "check", *arguments], capture_output=True, text=True, env=environment, cwd=CHECKOUT
    )


def test_the_packaged_models_are_available(tmp_path: Path) -> None:
    finished = check("--tag", "models", home=tmp_path, PROFILE="packaged")
    assert finished.returncode == 0, finished.stderr
    assert "no issues" in finished.stdout


def test_unavailable_models_are_errors_that_name_the_setting_and_the_fix(tmp_path: Path) -> None:
    finished = check("--tag", "models", home=tmp_path, PROFILE="local", OPEN_CLIP_WEIGHTS="/absent/b32.pt")
    assert finished.returncode == 1
    assert "There is no checkpoint file /absent/b32.pt: correct HEIMDEX_OPEN_CLIP_WEIGHTS" in finished.stderr
    assert "intfloat/multilingual-e5-small is not in this machine's cache" in finished.stderr
    assert '"model" in HEIMDEX_MODELS' in finished.stderr
    assert "Traceback" not in finished.stderr


def test_an_ordinary_check_ignores_the_models(tmp_path: Path) -> None:
    finished = check(home=tmp_path, MODELS='{"text": {"backend": "nowhere.Model"}}')
    assert "HEIMDEX_MODELS" not in finished.stderr
    assert check("--tag", "models", home=tmp_path, MODELS='{"text": {"backend": "nowhere.Model"}}').returncode == 1
