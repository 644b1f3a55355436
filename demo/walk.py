"""Run real commands, and record their output for a page of the documentation."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_MANAGE = str(ROOT / "manage.py")


class Walk:
    """A separate installation under `home`, and the text that it has recorded."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._text: list[str] = []
        self._variables = {**os.environ, "HEIMDEX_HOME": str(home), "PYTHONUNBUFFERED": "1", "COLUMNS": "100"}

    @property
    def text(self) -> str:
        """The page so far, without the paths of this machine."""
        return "\n".join(self._text).replace(str(self.home), "~/.heimdex").replace(str(ROOT), "~/heimdex") + "\n"

    def write(self, text: str) -> None:
        """Add a paragraph."""
        self._add(f"\n{text}\n")

    def show(self, *lines: str) -> None:
        """Add lines as a terminal shows them."""
        self._add("```", *(line.rstrip() for line in lines), "```")

    def configure(self, **variables: str) -> None:
        """Set environment variables for later commands, and record them."""
        self._variables |= variables
        self.show(
            *(f"export {name}={value!r}" if re.search(r"\W", value) else f"export {name}={value}" for name, value in variables.items())
        )

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run a command of manage.py and record it with its output. Raise AssertionError for an unexpected exit code."""
        code, output = self._run_command(arguments)
        if code != expect:
            raise AssertionError(f"{' '.join(arguments)} ended with {code}: {output}")
        ending = [f"(exit code {code})"] if code else []
        self.show(f"$ manage.py {' '.join(_quote(argument) for argument in arguments)}", *output.splitlines(), *ending)
        return output

    def run_quietly(self, *arguments: str) -> str:
        """Run a command of manage.py without recording it. Raise AssertionError when it fails."""
        code, output = self._run_command(arguments)
        if code:
            raise AssertionError(f"{' '.join(arguments)} ended with {code}: {output}")
        return output

    def _run_command(self, arguments: tuple[str, ...]) -> tuple[int, str]:
        completed = subprocess.run(
            [sys.executable, _MANAGE, *arguments], env=self._variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return completed.returncode, "\n".join(line for line in completed.stdout.splitlines() if not _is_log(line))

    def _add(self, *lines: str) -> None:
        self._text.extend(lines)
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def _is_log(line: str) -> bool:
    """Return whether a line is a log record."""
    return re.match(r"\d{4}-\d\d-\d\dT\S+ \[", line) is not None


def _quote(argument: str) -> str:
    return f"'{argument}'" if " " in argument else argument
