"""New migrations are safe beside the code of the previous release, which still runs in a rolling deploy."""

from pathlib import Path

import pytest
from django.db.migrations import Migration
from django_migration_linter import MigrationLinter

ROOT = Path(__file__).resolve().parents[1]
OLD = {line for line in (ROOT / "tests/upgrade/migrations_before_linting.txt").read_text().splitlines() if not line.startswith("#")}
# Names of arguments and variables are a matter of style.
STYLE = ("RUNPYTHON_ARGS_NAMING_CONVENTION", "RUNPYTHON_MODEL_VARIABLE_NAME")

# Indexes that are built beside writers cannot be part of a transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def lint(*names: str) -> bool:
    """Print what is unsafe in some migrations, and return whether they are safe."""
    linter = MigrationLinter(
        str(ROOT),
        no_cache=True,
        # It knows Django's engines only, and ours is one of them with another way to log in.
        analyser_string="postgresql",
        all_warnings_as_errors=True,
        exclude_migration_tests=STYLE,
        quiet=["ok", "ignore"],
    )
    for name in names:
        linter.lint_migration(list_migrations(linter)[name])
    return not linter.has_errors


def list_migrations(linter: MigrationLinter) -> dict[str, Migration]:
    """Return the migrations of this project by app and name."""
    migrations = linter.migration_loader.disk_migrations.values()
    own = [migration for migration in migrations if (ROOT / f"{type(migration).__module__.replace('.', '/')}.py").exists()]
    return {f"{migration.app_label}.{migration.name}": migration for migration in own}


def test_new_migrations_are_safe_beside_the_previous_release() -> None:
    names = list_migrations(MigrationLinter(str(ROOT), no_cache=True, analyser_string="postgresql")).keys()
    assert names >= OLD, "a migration that installations have applied is gone"
    assert lint(*sorted(names - OLD)), "see CONTRIBUTING.md (Migrations) for safe ways"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("reprocess.0009_entry_point", "RENAMING columns"),
        ("people.0004_ungrouped_faces", "CREATE INDEX locks table"),
        ("accounts.0005_quotas", None),
    ],
)
def test_what_would_break_the_previous_release_is_reported(name: str, problem: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(name) is (problem is None)
    assert (problem or "") in capsys.readouterr().out
