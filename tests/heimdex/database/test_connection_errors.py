"""What a command prints when it cannot use the database."""

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
        (message,) = ended.stderr.splitlines()
        assert "cannot be reached" in message
        assert "Connection refused" in message
        assert "manage.py up" in message
        assert "HEIMDEX_DATABASE_URL" in message
    assert "Traceback" in run(tmp_path, "reprocess_runs", "list", "--traceback").stderr


def test_a_wrong_password_a_wrong_name_and_missing_tables_are_reported(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, durable=False)
    connection = server.start()
    try:
        wrong = run(tmp_path, "showmigrations", HEIMDEX_DATABASE_URL=connection.url.replace(connection.password, "wrong"))
        assert (wrong.returncode, len(wrong.stderr.splitlines())) == (1, 1)
        assert "password authentication failed" in wrong.stderr
        absent = run(tmp_path, "showmigrations", HEIMDEX_DATABASE_URL=connection.url.rpartition("/")[0] + "/absent")
        assert 'database "absent" does not exist' in absent.stderr
        empty = run(tmp_path, "reprocess_runs", "list")
        assert (empty.returncode, len(empty.stderr.splitlines())) == (1, 1)
        assert "Run `python manage.py migrate`" in empty.stderr
    finally:
        server.stop()
