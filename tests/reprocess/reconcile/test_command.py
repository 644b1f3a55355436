"""What the command says to a person, and how it ends."""

import io

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from reprocess.reconcile.checks import all_checks
from tests.library import make_user
from videos.models import Job, Video

pytestmark = pytest.mark.django_db


def say(*args: str) -> tuple[int, str]:
    """Run the command; return its exit code and all it says."""
    out = io.StringIO()
    try:
        call_command("reconcile", *args, stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def test_it_says_what_it_found_what_it_mended_and_that_all_adds_up(local_storage: None) -> None:
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
    code, said = say()
    assert code == 3
    assert "jobless_videos" in said
    assert "--repair begins their processing anew." in said
    assert said.count("owner@example.org: “Film") == 5
    assert "… and 2 more like these" in said
    assert "7 thing(s) do not add up. --repair mends what it can." in said
    assert not Job.objects.exists()

    code, said = say("--repair")
    assert (code, "All that was found is mended." in said) == (0, True)
    assert Job.objects.filter(state="queued").count() == 7 * len(settings.INGEST_STAGES)
    code, said = say("--owner", "OWNER@example.org")
    assert (code, said) == (0, f"All adds up ({sum(len(check.kinds) for check in all_checks())} checks).\n")


def test_an_unknown_owner_is_wrong_usage() -> None:
    assert say("--owner", "nobody@example.org") == (2, "There is no owner nobody@example.org.")


def test_every_check_tells_the_operator_what_it_is_about_and_what_to_do() -> None:
    kinds = [kind for check in all_checks() for kind in check.kinds]
    assert all(kind.says and kind.by_hand for kind in kinds)
    assert len({kind.name for kind in kinds}) == len(kinds)
