"""Check the code for `make lint`: long modules, duplicate class names, vague names, replaced words and phrases, absent files in lists."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("heimdex", "videos", "people", "reprocess")
MAX_LINES = 300
# Django looks for these names.
PRESCRIBED_CLASSES = frozenset({"Command", "Migration"})
# One regular expression per line, then a tab and what to write instead; they match whole words, in any case, and across line breaks.
PHRASES = Path(__file__).with_name("phrases.txt")
# Words that codespell replaces in prose, and further words that identifiers must not contain; each line has the better word.
PROSE_WORDS = Path(__file__).with_name("words.txt")
IDENTIFIER_WORDS = Path(__file__).with_name("identifier_words.txt")
# Columns, JSON fields, options and queued tasks of existing installations.
ALLOWED_IDENTIFIERS = frozenset({"pictures", "pictures_hash", "get_pictures", "pictures_a_day", "says", "wake_forgotten_people"})
# They say nothing about what a variable holds.
VAGUE_NAMES = frozenset({"one", "found"})
PROSE_SUFFIXES = (".py", ".html", ".js", ".css", ".md", ".toml", ".yml", ".sh")


def main() -> int:
    """Print all problems. Return 1 when there are any, else 0."""
    problems = [
        *find_long_modules(ROOT),
        *find_shared_class_names(ROOT),
        *find_phrases(ROOT, read_phrases(PHRASES)),
        *find_identifier_words(ROOT, read_identifier_words(PROSE_WORDS, IDENTIFIER_WORDS)),
        *find_vague_names(ROOT),
        *find_absent_modules(ROOT),
    ]
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


def find_long_modules(root: Path) -> Iterator[str]:
    """Yield a line for each module of the project, tests included, that has more than `MAX_LINES` lines."""
    for path in list_sources(root, (".py",)):
        lines = len(path.read_text().splitlines())
        if lines > MAX_LINES:
            yield f"{path.relative_to(root)}: {lines} lines, more than {MAX_LINES}"


def find_shared_class_names(root: Path) -> Iterator[str]:
    """Yield a line for each name that two top-level classes of the packages share."""
    places = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for node in ast.parse(path.read_text(), path).body:
                if isinstance(node, ast.ClassDef) and node.name not in PRESCRIBED_CLASSES:
                    places[node.name].append(f"{path.relative_to(root)}:{node.lineno}")
    for name, where in sorted(places.items()):
        if len(where) > 1:
            yield f"class {name}: {', '.join(where)}"


def read_phrases(path: Path) -> list[tuple[re.Pattern[str], str]]:
    """Read the phrases and their replacements."""
    entries = (line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return [(re.compile(rf"\b{phrase}\b".replace(" ", r"\s+"), re.IGNORECASE), better) for phrase, better in entries]


def find_phrases(root: Path, phrases: list[tuple[re.Pattern[str], str]]) -> Iterator[str]:
    """Yield a line for each occurrence of a phrase."""
    for path in list_sources(root, PROSE_SUFFIXES):
        text = path.read_text()
        for phrase, better in phrases:
            for match in phrase.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path.relative_to(root)}:{line}: {match.group()!r}; better: {better}"


def read_identifier_words(*paths: Path) -> dict[str, str]:
    """Read the words that identifiers must not contain, in lower case, and their replacements. Entries of several words are skipped."""
    entries = (line.split("->") for path in paths for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {word: better for word, better in entries if word.isalpha() and word.islower()}


def find_identifier_words(root: Path, words: dict[str, str]) -> Iterator[str]:
    """Yield a line for each Python identifier, in snake_case or CamelCase, that contains one of the words."""
    for path in list_sources(root, (".py",)):
        reported = set()
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
            if token.type == tokenize.NAME and token.string not in ALLOWED_IDENTIFIERS | reported:
                reported.add(token.string)
                for word in split_identifier(token.string):
                    if word in words:
                        yield f"{path.relative_to(root)}:{token.start[0]}: {token.string} contains {word!r}; better: {words[word]}"


def find_vague_names(root: Path) -> Iterator[str]:
    """Yield a line for each variable or parameter with one of the names in VAGUE_NAMES. Fields of classes may be called so."""
    for path in list_sources(root, (".py",)):
        tree = ast.parse(path.read_text(), path)
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        fields = {id(part) for table in classes for field in table.body for part in ast.iter_child_nodes(field)}
        for node in ast.walk(tree):
            name = (
                node.arg if isinstance(node, ast.arg) else node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else ""
            )
            if name in VAGUE_NAMES and id(node) not in fields:
                yield f"{path.relative_to(root)}:{node.lineno}: a variable called {name!r}; say what it holds"


def split_identifier(name: str) -> list[str]:
    """Split an identifier into its words, in lower case: `find_allPhotos` gives find, all and photos."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def find_absent_modules(root: Path) -> Iterator[str]:
    """Yield a line for each path in the suite's list of slow modules that is not a file."""
    for name in (root / "tests" / "slow_modules.txt").read_text().splitlines():
        if not name.startswith("#") and not (root / name).is_file():
            yield f"tests/slow_modules.txt: there is no {name}"


def list_sources(root: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files that git tracks or would track, by suffix, without migrations."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    paths = [root / name for name in sorted(set(listed)) if name.endswith(suffixes)]
    return [path for path in paths if path.is_file() and "migrations" not in path.parts]


if __name__ == "__main__":
    raise SystemExit(main())
