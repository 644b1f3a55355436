"""Links in the documents lead somewhere, and the code in the guides imports what exists."""

import ast
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
GUIDES = sorted((ROOT / "docs" / "how-to").glob("add-*.md"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def list_anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to a document's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_relative_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:\s]*(?:#[^)\s]*)?)\)", text):
        path, _, anchor = target.partition("#")
        linked = (document.parent / path).resolve() if path else document
        assert linked.exists(), target
        assert not anchor or anchor in list_anchors(linked), target


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if path not in GUIDES], ids=name_of)
def test_the_files_that_a_document_names_exist(document: Path) -> None:
    for name in re.findall(r"`([\w/]+\.py|(?:heimdex|videos|people|reprocess|tests|demo|bench|scripts)/[\w/]*)`", document.read_text()):
        assert any(ROOT.glob(name)) or any(ROOT.glob(f"*/**/{name}")), name


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_the_code_of_a_guide_imports_what_exists(guide: Path) -> None:
    text = guide.read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        for node in ast.walk(ast.parse(block)):
            # A module of the guide itself is named in its text, and does not exist here.
            if isinstance(node, ast.ImportFrom) and node.module and f"{node.module.replace('.', '/')}.py" not in text:
                assert find_spec(node.module), node.module
                assert all(hasattr(import_module(node.module), alias.name) for alias in node.names), ast.unparse(node)


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_the_fixtures_in_the_tests_of_a_guide_exist(guide: Path) -> None:
    fixtures = "".join(path.read_text() for path in (ROOT / "tests").rglob("conftest.py"))
    for block in re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                parameters = re.findall(r"parametrize\(\(?(.+?)\)?, \[", "".join(map(ast.unparse, node.decorator_list)))
                needed = {argument.arg for argument in node.args.args} - set(re.findall(r"\w+", "".join(parameters)))
                assert {name for name in needed if f"def {name}(" not in fixtures} == set()


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_the_urls_in_a_guide_are_entries_of_urlpatterns(guide: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL):
        assert "path(" not in block or "urlpatterns = [" in block


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_command_for_tests_runs_those_that_are_left_out_by_default(document: Path) -> None:
    for command in re.findall(r"-m pytest [^`\n]+", document.read_text()):
        modules = [ROOT / name for name in re.findall(r"tests/\S+\.py", command)]
        marked = [module for module in modules if module.exists() and "pytestmark = pytest.mark.integration" in module.read_text()]
        assert not marked or '-m ""' in command, command


COMMANDS = sorted(path for app in ("heimdex", "videos", "reprocess") for path in (ROOT / app / "management" / "commands").glob("[!_]*.py"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: path.stem)
def test_a_command_and_its_options_are_in_the_reference(command: Path) -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text()
    (row,) = re.findall(rf"^\| `{command.stem}[` ].*$", page, re.MULTILINE)
    assert [option for option in re.findall(r'"(--[a-z-]+)"', command.read_text()) if f"`{option}`" not in row] == []
