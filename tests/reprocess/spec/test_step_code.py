"""A step's digest covers exactly the code that decides what is embedded, wherever that code is."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heimdex.profiles import EMBEDDERS
from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION
from reprocess.spec.lock import compute_digests, find_drift, find_model_drift, lock_models, read_lock
from reprocess.spec.step_code import PACKAGES, PROJECT, StepCode
from reprocess.steps import list_steps

DRIFT = "The step {name} changed, but the spec version is still {version}."
MODULES = {step.name: type(step).__module__ for step in list_steps()}
# What is known to decide about vectors or hashes, by step. The derivation must find at least these.
KNOWN = {
    ("videos.embedding_texts", "compose_transcripts"): {"scene_text"},
    ("videos.embedding_texts", "compose_visual"): {"scene_text"},
    ("videos.embedding_texts", "compose_summary"): {"scene_text"},
    ("videos.embedding_texts", "clip_text"): {"scene_text"},
    ("videos.embedding_texts", "TextBudgets"): {"scene_text"},
    ("videos.embedding_texts", "_Words"): {"scene_text"},
    ("videos.embedding_texts", "hash_input"): {"scene_text", "person_query"},
    ("people.input_hashes", "hash_query"): {"person_query"},
    ("people.matching", "to_float32"): {"person_query"},
    ("people.photos.quality_check", "check_quality"): {"person_photo"},
    ("people.photos.quality_check", "MIN_SIDE_PX"): {"person_photo"},
    ("heimdex.embedders.vectors", "normalize_rows"): {"person_query"},
    ("heimdex.faces.tracks", "join_tracks"): {"scene_person"},
    ("people.models.person", "Person.is_archived"): {"person_query"},
    ("people.models.photo", "PersonPhoto.image_key"): {"person_photo"},
    ("reprocess.steps.base", "SceneStep"): {"scene_text", "scene_clip", "scene_person"},
    ("reprocess.steps.base", "PeopleStep"): {"person_photo", "person_query"},
    ("reprocess.steps.scene_text", "SceneTextStep"): {"scene_text"},
    ("reprocess.steps.scene_clip", "SceneClipStep"): {"scene_clip"},
    ("reprocess.steps.scene_person", "_detect"): {"scene_person"},
    ("reprocess.steps.person_photo", "PersonPhotoStep"): {"person_photo"},
    ("reprocess.steps.person_query", "PersonQueryStep"): {"person_query"},
    ("videos.models.scene", "Scene.image_keys"): {"scene_person"},
    ("videos.models.scene", "Scene.keyframe_key"): {"scene_clip", "scene_person"},
}


def get_path(module: str, root: Path = PROJECT) -> Path:
    return root.joinpath(*module.split(".")).with_suffix(".py")


def find_nodes(tree: ast.Module, name: str) -> list[ast.stmt]:
    """Return the statements that define a name at the top level of a module; `Class.member` is a name in a class."""
    *classes, name = name.split(".")
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name in classes) if classes else tree.body
    return [node for node in body if name in list_defined_names(node)]


def is_defined(module: str, name: str) -> bool:
    """Return whether a module defines a name itself, and does not import it."""
    return bool(find_nodes(ast.parse(get_path(module).read_text()), name))


def list_defined_names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


_CODE = StepCode()
USED_BY = {name: _CODE.find_definitions(module) for name, module in MODULES.items()}


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
        path = get_path(module, copy)
        originals.setdefault(path, path.read_text())
        path.write_text(change(path.read_text()))

    yield apply
    for path, source in originals.items():
        path.write_text(source)


def find_changed_steps(root: Path) -> set[str]:
    """Return the steps that the check names for a copy of the code."""
    drift = find_drift(read_lock(), compute_digests(StepCode(root)), LATEST_EMBEDDING_SPEC_VERSION)
    changed = {name for name in MODULES if DRIFT.format(name=name, version=LATEST_EMBEDDING_SPEC_VERSION) in drift}
    assert len(changed) == len(drift)
    return changed


def alter(source: str, name: str) -> str:
    """Return the source with a statement more in a function or class, or with another value of a constant."""
    tree = ast.parse(source)
    for node in find_nodes(tree, name):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.body = [*node.body, *ast.parse("altered = True").body]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            node.value = ast.parse(f"({ast.unparse(node.value)}, 'altered')" if node.value else "'altered'", mode="eval").body
    return ast.unparse(tree)


def test_the_derivation_finds_what_is_known_to_matter() -> None:
    assert {known: {name for name, used in USED_BY.items() if known in used} for known in KNOWN} == KNOWN


@pytest.mark.parametrize("definition", sorted(used for used in set().union(*USED_BY.values()) if is_defined(*used)), ids=".".join)
def test_the_check_names_every_step_that_uses_a_changed_definition(definition: tuple[str, str], copy: Path, edit: Edit) -> None:
    module, name = definition
    users = {step for step, used in USED_BY.items() if definition in used}
    edit(module, lambda source: alter(source, name))
    assert find_changed_steps(copy) == users != set()


@pytest.mark.parametrize(
    ("module", "name", "users"),
    [
        ("heimdex.embedders.base", "_average_windows", set(EMBEDDERS)),
        ("heimdex.embedders.vectors", "normalize_rows", set(EMBEDDERS)),
        ("heimdex.embedders.batching", "choose_window_starts", {"sentence_transformer", "conse"}),
        ("heimdex.embedders.batching", "split_by_bytes", {"openai"}),
        ("heimdex.embedders.conse", "PROMPT", {"conse"}),
        ("heimdex.vision.classifier", "INPUT_SIZE", {"conse"}),
        ("heimdex.embedders.open_clip", "_build_preprocessing", {"open_clip"}),
        ("heimdex.faces.base", "MIN_IMAGE_PX", {"yunet_sface", "dlib", "onnx_faces"}),
        ("heimdex.faces.quality", "measure_sharpness", {"yunet_sface", "dlib", "onnx_faces"}),
        ("heimdex.faces.onnx", "MAX_SIDE_PX", {"yunet_sface", "onnx_faces"}),
        ("heimdex.faces.dlib", "DlibFaces", {"dlib"}),
    ],
)
def test_the_check_names_every_model_that_uses_a_changed_definition(
    module: str, name: str, users: set[str], copy: Path, edit: Edit
) -> None:
    edit(module, lambda source: alter(source, name))
    locked = read_lock()
    drift = find_model_drift(locked, lock_models(StepCode(copy, of_models=True)))
    versions = {user: locked["models"][user]["code_version"] for user in EMBEDDERS if user in users}
    assert drift == [f"The code of the model {user} changed, but its code version is still {versions[user]}." for user in versions]


def test_the_advice_of_a_models_check_does_not_matter(copy: Path, edit: Edit) -> None:
    edit("heimdex.embedders.weights", lambda source: alter(source, "check_packages"))
    assert find_model_drift(read_lock(), lock_models(StepCode(copy, of_models=True))) == []


def test_fields_and_unused_members_of_tables_do_not_matter(copy: Path, edit: Edit) -> None:
    edit("videos.models.scene", lambda source: alter(source.replace("blank=True", "blank=False"), "Scene.transcript_version"))
    assert find_changed_steps(copy) == set()


def test_formatting_comments_docstrings_and_labels_do_not_matter(copy: Path, edit: Edit) -> None:
    edit("videos.embedding_texts", lambda source: ast.unparse(ast.parse(source.replace('"""Return', '"""Give'))) + "\n# why\n")
    edit(
        "reprocess.steps.scene_text",
        lambda source: source.replace('label="speech"', 'label="talk"').replace('evidence="said"', 'evidence="seen"'),
    )
    assert find_changed_steps(copy) == set()


def test_a_moved_function_changes_no_digest(copy: Path, edit: Edit) -> None:
    def remove(source: str) -> str:
        tree = ast.parse(source)
        tree.body = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == "clip_text")]
        return "from videos.clipping import clip_text\n" + ast.unparse(tree)

    source = (PROJECT / "videos" / "embedding_texts.py").read_text()
    moved = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "clip_text")
    (copy / "videos" / "clipping.py").write_text(ast.unparse(moved))
    edit("videos.embedding_texts", remove)
    assert find_changed_steps(copy) == set()
    edit("videos.clipping", lambda text: text.replace("4 // 5", "3 // 5"))
    assert find_changed_steps(copy) == {"scene_text"}


def test_code_that_only_writes_results_does_not_matter(copy: Path, edit: Edit) -> None:
    for module, name in (("people.matching", "match_faces"), ("people.face_store", "replace_faces"), ("people.photos.state", "fail_photo")):
        edit(module, lambda source, name=name: alter(source, name))  # type: ignore[misc]
    assert find_changed_steps(copy) == set()


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
