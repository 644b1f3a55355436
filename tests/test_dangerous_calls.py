"""Neither code, templates nor scripts contain calls that would turn input into code, markup, SQL or a command."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("heimdex", "videos", "people", "reprocess")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if "migrations" not in path.parts]
CALLS = {"eval", "exec", "os.system", "os.popen", "mark_safe", "RawSQL", "yaml.load", "marshal.loads", "tempfile.mktemp"}
# Methods of Django's querysets that take SQL.
METHODS = {"raw", "extra"}
OPTIONS = {("shell", True), ("verify", False), ("check_hostname", False), ("allow_pickle", True)}
# A job comes from the worker that starts the decoder. The decoder's answers are no pickles.
UNPICKLING = {"heimdex/media/sandbox_child.py"}
# A token that this server has stored, the help text that Django writes for new passwords, and excerpts that the search has escaped.
REVIEWED = {
    "RefreshToken(token, verify=False)",
    "field.help_text|safe",
    "mark_safe(highlights.get(LEXICAL, ''))",
    "mark_safe(highlights.get(ON_SCREEN, ''))",
}
SCRIPT_WORDS = (
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function\(|localStorage|sessionStorage|indexedDB|postMessage)"
)


def iterate_dangerous_calls(tree: ast.AST) -> Iterator[str]:
    """Yield each dangerous call of a module, with its line."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or ast.unparse(node) in REVIEWED:
            continue
        name = ast.unparse(node.func)
        options = {(keyword.arg, keyword.value.value) for keyword in node.keywords if isinstance(keyword.value, ast.Constant)}
        if name in CALLS or name.split(".")[-1] in METHODS or options & OPTIONS:
            yield f"{node.lineno}: {ast.unparse(node)}"
        if name.endswith(".execute") and node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp):
            yield f"{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize(
    "call",
    ["eval(x)", "mark_safe(x)", "run(x, shell=True)", "Video.objects.raw(x)", "cursor.execute(f'SELECT {x}')", "cursor.execute('a' % x)"],
)
def test_a_dangerous_call_is_found(call: str) -> None:
    assert list(iterate_dangerous_calls(ast.parse(call)))


def test_the_code_contains_no_dangerous_call() -> None:
    for path in SOURCES:
        assert not list(iterate_dangerous_calls(ast.parse(path.read_text()))), path


def test_pickles_are_read_where_a_worker_sends_a_job() -> None:
    reading = {str(path.relative_to(ROOT)) for path in SOURCES if re.search(r"pickle\.loads?\(|pickle\.Unpickler", path.read_text())}
    assert reading == UNPICKLING


def test_templates_escape_everything() -> None:
    templates = [path for package in PACKAGES for path in (ROOT / package).rglob("*.html")]
    assert len(templates) > 20
    for path in templates:
        unsafe = re.findall(r"[\w.]*\|\s*safe\b|autoescape off|<script>|\bon\w+=\"|javascript:", path.read_text())
        assert set(unsafe) <= REVIEWED, path


def test_scripts_write_text_and_keep_nothing() -> None:
    scripts = [path for package in PACKAGES for path in (ROOT / package).rglob("*.js")]
    assert scripts
    for path in scripts:
        assert not re.findall(SCRIPT_WORDS, path.read_text()), path
