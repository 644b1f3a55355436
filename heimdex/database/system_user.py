"""The user that the embedded server runs as: PostgreSQL refuses to run as root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from heimdex.database import EmbeddedServerError

# In order of preference; every system has `nobody`.
SYSTEM_USERS = ("postgres", "nobody")


@dataclass(frozen=True)
class SystemUser:
    uid: int
    gid: int


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
    return _allows(user, status, needed) and all(_allows(user, parent.stat(), stat.S_IXOTH) for parent in path.parents)


def _allows(user: SystemUser, file: os.stat_result, needed: int) -> bool:
    shift = 6 if file.st_uid == user.uid else 3 if file.st_gid == user.gid else 0
    return (file.st_mode >> shift) & needed == needed
