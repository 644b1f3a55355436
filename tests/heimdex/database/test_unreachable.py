"""What a command says when there is no database."""

import os
import subprocess
import sys
from pathlib import Path

from heimdex.database.server import EmbeddedServer

ROOT = Path(__file__).resolve().parents[3]


def run(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEIMDEX_")}
    environment |= {"HEIMDEX_HOME": str(home), **variables}
    return subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_command_names_the_fix_when_the_database_was_stopped(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, durable=False)
    url = server.start().url
    server.stop()
    for ended in (run(tmp_path, "showmigrations"), run(tmp_path, "reprocess_runs", "list", HEIMDEX_DATABASE_URL=url)):
        assert ended.returncode == 1
        assert "Traceback" not in ended.stderr
        (sentence,) = ended.stderr.splitlines()
        assert "cannot be reached" in sentence
        assert "Connection refused" in sentence
        assert "manage.py up" in sentence
        assert "HEIMDEX_DATABASE_URL" in sentence
    assert "Traceback" in run(tmp_path, "reprocess_runs", "list", "--traceback").stderr


def test_a_wrong_password_a_wrong_name_and_missing_tables_are_named(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, durable=False)
    address = server.start()
    try:
        wrong = run(tmp_path, "showmigrations", HEIMDEX_DATABASE_URL=address.url.replace(address.password, "wrong"))
        assert (wrong.returncode, len(wrong.stderr.splitlines())) == (1, 1)
        assert "password authentication failed" in wrong.stderr
        absent = run(tmp_path, "showmigrations", HEIMDEX_DATABASE_URL=address.url.rpartition("/")[0] + "/absent")
        assert 'database "absent" does not exist' in absent.stderr
        empty = run(tmp_path, "reprocess_runs", "list")
        assert (empty.returncode, len(empty.stderr.splitlines())) == (1, 1)
        assert "run `python manage.py migrate`" in empty.stderr
    finally:
        server.stop()
