"""The output and the exit codes of the command."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from reprocess.reconcile.checks import list_checks
from tests.library import make_user
from videos.models import Job, Video
from videos.registry import list_stages

pytestmark = pytest.mark.django_db


def run_command(*args: str) -> tuple[int, str]:
    """Run the command. Return its exit code and its output."""
    out = io.StringIO()
    try:
        call_command("reconcile", *args, stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def test_it_reports_issues_repairs_them_and_then_reports_none(local_storage: None) -> None:
    owner = make_user()
    for number in range(7):
        Video.objects.create(
            owner=owner,
            title=f"Film {number}",
            filename="f",
            mime_type="video/mp4",
            size_bytes=1,
            state="processing",
            upload_expires_at=timezone.now(),
        )
    code, output = run_command()
    assert code == 3
    assert "jobless_videos" in output
    assert "--repair restarts their processing." in output
    assert output.count("owner@example.org: “Film") == 5
    assert "… and 2 more like these" in output
    assert "7 issue(s) left. --repair fixes what can be fixed." in output
    assert not Job.objects.exists()

    code, output = run_command("--repair")
    assert (code, "All issues are repaired." in output) == (0, True)
    assert Job.objects.filter(state="queued").count() == 7 * len(list_stages())
    code, output = run_command("--owner", "OWNER@example.org")
    assert (code, output) == (0, f"No issues ({sum(len(check.issue_types) for check in list_checks())} checks).\n")


def test_an_unknown_owner_is_wrong_usage() -> None:
    assert run_command("--owner", "nobody@example.org") == (2, "There is no owner nobody@example.org. Check the e-mail address.")


def test_every_issue_type_has_a_name_a_summary_and_a_manual_fix() -> None:
    issue_types = [issue_type for check in list_checks() for issue_type in check.issue_types]
    assert all(issue_type.summary and issue_type.manual_fix for issue_type in issue_types)
    assert len({issue_type.name for issue_type in issue_types}) == len(issue_types)
