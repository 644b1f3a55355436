"""Read the lines of a text file, and name every bad line by its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# A file of a million judgments has about this size; a video that was given by mistake has more.
MAX_BYTES = 100_000_000
# The bad lines that a message lists.
MAX_LISTED = 20


@dataclass(frozen=True)
class FileProblem:
    """A bad line, from 1, or 0 for the whole file, and a sentence about it."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


class InvalidFile(Exception):
    """A file cannot be used. The message lists its problems, in the order of the lines."""

    def __init__(self, path: Path, problems: Sequence[FileProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        shown = "\n".join(f"  {problem}" for problem in self.problems[:MAX_LISTED])
        more = f"\n  and {len(problems) - MAX_LISTED} more" if len(problems) > MAX_LISTED else ""
        super().__init__(f"{path} cannot be used:\n{shown}{more}")


def read_lines(path: Path) -> list[tuple[int, str]]:
    """Return number (from 1) and text of each line that is not blank, without surrounding spaces. Raise InvalidFile."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidFile(path, [FileProblem(0, f"The file has more than {MAX_BYTES // 1_000_000} MB. Is it a text file?")])
        content = path.read_bytes()
    except OSError as error:
        raise InvalidFile(path, [FileProblem(0, f"{error.strerror or error}. Check the path.")]) from error
    lines: list[tuple[int, str]] = []
    problems: list[FileProblem] = []
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            line = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            problems.append(FileProblem(number, "This is not UTF-8 text."))
        else:
            if line:
                lines.append((number, line))
    if problems:
        raise InvalidFile(path, problems)
    return lines
