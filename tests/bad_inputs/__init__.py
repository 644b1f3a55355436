"""Bad uploads, built by `python -m tests.bad_inputs` into tests/media/bad/; expected.json there has the expected answer of each."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "media" / "bad"
_EXPECTED = FOLDER / "expected.json"
_STAMP = FOLDER / ".built-from"

Recipe = Callable[[Path], object]


@dataclass(frozen=True)
class BadInput:
    """A file, the number of its kind in the list, the name it is uploaded under, and the expected answer.

    `answer` is `refused` (400 at the announcement, with the sentence `code`), `failed` (with `code`) or `indexed`; `partial` when a notice
    reports what is missing.
    """

    file: str
    kind: int
    answer: str
    code: str
    name: str
    partial: bool

    @property
    def path(self) -> Path:
        """Return the path of the built file."""
        return FOLDER / self.file


def list_bad_inputs() -> list[BadInput]:
    """Return all bad inputs."""
    entries = json.loads(_EXPECTED.read_text())
    return [
        BadInput(e["file"], e["kind"], e["answer"], e.get("code", ""), e.get("name", e["file"]), e.get("partial", False)) for e in entries
    ]


def build(port: int, neighbor: Path) -> list[BadInput]:
    """Build files that are missing or outdated; some refer to this port of this machine and to this video."""
    from tests.bad_inputs import boxes, films, texts

    FOLDER.mkdir(parents=True, exist_ok=True)
    sources = [*sorted(Path(__file__).parent.glob("*.py")), Path(__file__).parent.parent / "media.py"]
    stamp = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    fresh = _STAMP.exists() and _STAMP.read_text() == stamp
    recipes: dict[str, Recipe] = {**films.RECIPES, **boxes.RECIPES}
    for name, recipe in recipes.items():
        if not fresh or not (FOLDER / name).exists():
            recipe(FOLDER / name)
    for name, content in texts.build_contents(port, neighbor).items():
        (FOLDER / name).write_bytes(content)
    _STAMP.write_text(stamp)
    return list_bad_inputs()
