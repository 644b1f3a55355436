"""The words that `make lint` reports inside identifiers, and what git ignores."""

import subprocess
from pathlib import Path
from runpy import run_path

ROOT = Path(__file__).resolve().parents[1]
STRUCTURE = run_path(str(ROOT / "scripts" / "lint" / "structure.py"))


def test_identifiers_are_split_at_underscores_and_capitals() -> None:
    split = STRUCTURE["split_identifier"]
    assert split("wake_forgotten_people") == ["wake", "forgotten", "people"]
    assert split("StillPicture") == ["still", "picture"]
    assert split("_HTTPError2") == ["http", "error"]


def test_a_replaced_word_is_reported_once_per_file_and_only_in_identifiers(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "module.py").write_text('heard = "heard"  # heard\nprint(heard, pictures_hash, overheard, HeardWords)\n')
    problems = list(STRUCTURE["find_identifier_words"](tmp_path, {"heard": "transcribed", "pictures": "images"}))
    assert problems == [
        "module.py:1: heard contains 'heard'; better: transcribed",
        "module.py:2: HeardWords contains 'heard'; better: transcribed",
    ]


def test_variables_and_parameters_with_vague_names_are_reported(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "module.py").write_text("for one in ():\n    print(one)\ndef look(found): return found\nissue.found = 1\n")
    assert list(STRUCTURE["find_vague_names"](tmp_path)) == [
        "module.py:1: a variable called 'one'; say what it holds",
        "module.py:3: a variable called 'found'; say what it holds",
    ]


def test_git_ignores_a_virtual_environment_that_is_a_link(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    (tmp_path / ".venv").symlink_to(tmp_path)
    assert subprocess.run(["git", "check-ignore", "-q", ".venv"], cwd=tmp_path, check=False).returncode == 0
