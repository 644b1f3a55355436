"""`run/postgres.json`: what other processes must know to reach the embedded server."""

from dataclasses import asdict, dataclass
from pathlib import Path

from heimdex.database.private_files import read_private_json, write_private_json


@dataclass(frozen=True)
class Record:
    """Port and password outlive a stop, so that the next start serves the same address; `pid` does not."""

    port: int
    password: str
    user: str
    database: str
    pid: int | None


def record_path(home: Path) -> Path:
    return home / "run" / "postgres.json"


def read_record(home: Path) -> Record | None:
    """Return the last record, or None when there is none that makes sense."""
    content = read_private_json(record_path(home))
    try:
        return Record(**content) if content else None
    except TypeError:
        return None


def write_record(home: Path, record: Record) -> None:
    write_private_json(record_path(home), asdict(record))
