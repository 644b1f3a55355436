"""A step's digest covers exactly the code that decides what is embedded, wherever that code is."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reprocess.spec.step_code import PACKAGES, PROJECT, StepCode
from reprocess.steps import all_steps

MODULES = {step.name: type(step).__module__ for step in all_steps()}
# What is known to decide about vectors or hashes, by step. The derivation must find at least these.
KNOWN = {
    ("videos.embedding_texts", "compose_transcripts"): {"scene_text"},
    ("videos.embedding_texts", "compose_visual"): {"scene_text"},
    ("videos.embedding_texts", "compose_summary"): {"scene_text"},
    ("videos.embedding_texts", "clip_text"): {"scene_text"},
    ("videos.embedding_texts", "TextBudgets"): {"scene_text"},
    ("videos.embedding_texts", "_Words"): {"scene_text"},
    ("videos.embedding_texts", "hash_input"): {"scene_text", "person_query"},
    ("people.input_hashes", "query_hash"): {"person_query"},
    ("people.matching", "to_float32"): {"person_query"},
    ("people.photos.quality_check", "check_quality"): {"person_photo"},
    ("people.photos.quality_check", "MIN_SIDE_PX"): {"person_photo"},
    ("heimdex.embedders.vectors", "normalize_rows"): {"person_query"},
    ("heimdex.faces.tracks", "join_tracks"): {"scene_person"},
    ("reprocess.steps.scene_text", "SceneTextStep"): {"scene_text"},
    ("reprocess.steps.scene_clip", "SceneClipStep"): {"scene_clip"},
    ("reprocess.steps.scene_person", "_detect"): {"scene_person"},
    ("reprocess.steps.person_photo", "PersonPhotoStep"): {"person_photo"},
    ("reprocess.steps.person_query", "PersonQueryStep"): {"person_query"},
}


def path_of(module: str, root: Path = PROJECT) -> Path:
    return root.joinpath(*module.split(".")).with_suffix(".py")


def is_defined(module: str, name: str) -> bool:
    """Return whether a module defines a name itself, at its top level, and does not import it."""
    for node in ast.parse(path_of(module).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return True
        if isinstance(node, ast.Assign | ast.AnnAssign) and name in assigned(node):
            return True
    return False


def assigned(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


_CODE = StepCode()
USED_BY = {name: _CODE.find_definitions(module) for name, module in MODULES.items()}
DIGESTS = {name: _CODE.digest(module) for name, module in MODULES.items()}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project's code."""
    root = tmp_path_factory.mktemp("project")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "static", "templates")
        shutil.copytree(PROJECT / package, root / package, ignore=ignored)
    shutil.copy(PROJECT / "manage.py", root)
    return root


Edit = Callable[[str, Callable[[str], str]], None]


@pytest.fixture
def edit(copy: Path) -> Iterator[Edit]:
    """Return a function that edits a module of the copy; edits are undone."""
    originals: dict[Path, str] = {}

    def apply(module: str, change: Callable[[str], str]) -> None:
        path = path_of(module, copy)
        originals.setdefault(path, path.read_text())
        path.write_text(change(path.read_text()))

    yield apply
    for path, source in originals.items():
        path.write_text(source)


def changed(root: Path) -> set[str]:
    code = StepCode(root)
    return {name for name, module in MODULES.items() if code.digest(module) != DIGESTS[name]}


def alter(source: str, name: str) -> str:
    """Return the source with a statement more in a function or class, or with another value of a constant."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            node.body = [*node.body, *ast.parse("altered = True").body]
        elif isinstance(node, ast.Assign | ast.AnnAssign) and name in assigned(node):
            node.value = ast.parse(f"({ast.unparse(node.value)}, 'altered')" if node.value else "'altered'", mode="eval").body
    return ast.unparse(tree)


def test_the_derivation_finds_what_is_known_to_matter() -> None:
    assert {known: {name for name, used in USED_BY.items() if known in used} for known in KNOWN} == KNOWN


@pytest.mark.parametrize("definition", sorted(used for used in set().union(*USED_BY.values()) if is_defined(*used)), ids=".".join)
def test_a_change_to_anything_that_a_step_uses_changes_its_digest(definition: tuple[str, str], copy: Path, edit: Edit) -> None:
    module, name = definition
    users = {step for step, used in USED_BY.items() if definition in used}
    edit(module, lambda source: alter(source, name))
    assert changed(copy) == users != set()


def test_formatting_comments_docstrings_and_labels_do_not_matter(copy: Path, edit: Edit) -> None:
    edit("videos.embedding_texts", lambda source: ast.unparse(ast.parse(source.replace('"""Return', '"""Give'))) + "\n# why\n")
    edit("reprocess.steps.scene_text", lambda source: source.replace('label="speech"', 'label="talk"').replace("weight=0.3", "weight=0.4"))
    assert changed(copy) == set()


def test_a_moved_function_changes_no_digest(copy: Path, edit: Edit) -> None:
    def remove(source: str) -> str:
        tree = ast.parse(source)
        tree.body = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == "clip_text")]
        return "from videos.clipping import clip_text\n" + ast.unparse(tree)

    source = (PROJECT / "videos" / "embedding_texts.py").read_text()
    moved = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "clip_text")
    (copy / "videos" / "clipping.py").write_text(ast.unparse(moved))
    edit("videos.embedding_texts", remove)
    assert changed(copy) == set()
    edit("videos.clipping", lambda text: text.replace("4 // 5", "3 // 5"))
    assert changed(copy) == {"scene_text"}


def test_what_only_writes_results_does_not_matter(copy: Path, edit: Edit) -> None:
    for module, name in (("people.matching", "match_faces"), ("people.face_store", "replace_faces"), ("people.photos.state", "fail_photo")):
        edit(module, lambda source, name=name: alter(source, name))  # type: ignore[misc]
    assert changed(copy) == set()


def test_the_check_of_a_changed_copy_fails_and_names_the_steps(copy: Path, edit: Edit, tmp_path: Path) -> None:
    edit("videos.embedding_texts", lambda source: source.replace("4800", "4700"))
    edit("people.input_hashes", lambda source: source.replace('"\\n".join(sorted', '"; ".join(sorted'))
    environment = {
        "PATH": os.environ["PATH"],
        "HEIMDEX_HOME": str(tmp_path),
        "HEIMDEX_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }
    command = [sys.executable, "manage.py", "check", "--tag", "spec"]
    finished = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=120)
    assert finished.returncode != 0
    assert "The step scene_text changed" in finished.stderr
    assert "The step person_query changed" in finished.stderr
    assert "scene_clip" not in finished.stderr
