"""Run PostgreSQL's programs as the right user."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from heimdex.database import launch
from heimdex.database.binaries import postgres_prefix
from heimdex.database.errors import EmbeddedServerError
from heimdex.database.system_user import SystemUser, can_reach, choose_system_user


@dataclass(frozen=True)
class Programs:
    """The programs under `prefix`; `user` is whom they become (None: who calls) and `reach` whether they keep the right to pass closed
    directories."""

    prefix: Path
    user: SystemUser | None
    reach: bool

    @classmethod
    def for_data(cls, data: Path) -> "Programs":
        """Return the programs as they must run for this data directory (which need not exist, but its parent must)."""
        prefix = postgres_prefix()
        user = choose_system_user(data)
        needed = (prefix / "bin" / "postgres", prefix / "bin" / "initdb", prefix / "lib" / "postgresql", prefix / "share" / "postgresql")
        closed = user is not None and not (can_reach(user, data.parent) and all(can_reach(user, path) for path in needed))
        return cls(prefix, user, closed)

    def command(self, name: str, *arguments: str) -> list[str]:
        """Return the command line of program `name`, with the change of user in front of it where one is needed."""
        program = [str(self.prefix / "bin" / name), *arguments]
        if self.user is None:
            return program
        mode = "reach" if self.reach else "plain"
        return [sys.executable, "-I", launch.__file__, str(self.user.uid), str(self.user.gid), mode, *program]

    def run(self, name: str, *arguments: str, stdin: str = "") -> str:
        """Run a program to its end and return its output; EmbeddedServerError quotes the last lines when it fails."""
        result = subprocess.run(
            self.command(name, *arguments),
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
            raise self.failure(name, result.returncode, result.stdout)
        return result.stdout

    def start(self, name: str, *arguments: str, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        """Start a program in a session of its own, so that no Ctrl-C of a terminal reaches it."""
        return subprocess.Popen(
            self.command(name, *arguments),
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )

    def own(self, path: Path) -> None:
        """Hand one file or directory to the user that the programs run as."""
        if self.user:
            os.chown(path, self.user.uid, self.user.gid)

    def failure(self, name: str, code: int, output: str) -> EmbeddedServerError:
        """Return the error that tells why a program ended with `code`."""
        lines = "\n  ".join(output.strip().splitlines()[-8:])
        if code == launch.EXIT_NO_CAPABILITY and self.reach:
            return EmbeddedServerError(
                "PostgreSQL runs as a system user, which may not enter the directories of this installation "
                f"({self.prefix}), and this system does not let root hand on its right to ({lines}). "
                "Move the checkout, with HEIMDEX_HOME, to where every user may enter, or start Heimdex as an ordinary user."
            )
        return EmbeddedServerError(f"PostgreSQL's {name} failed (exit code {code}):\n  {lines}")


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what would configure PostgreSQL behind our back, and without our secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG", "HEIMDEX_"))}
    return {**kept, "LANG": "C"}
