"""Partial runs after a model change fill a part of the pending space, say so, and are not repeated by later runs."""

import io
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.backends import get_text_embedder
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.tasks import work_run
from tests.library import make_user, make_video
from tests.reprocess.cutover.conftest import get_active_spaces, run

pytestmark = pytest.mark.django_db(transaction=True)

ONE_OF_TWO = "1 of 2 videos; search switches when the owner is complete"


def test_every_entry_point_explains_a_partial_run(owner: User, change_model: Callable[[], None]) -> None:
    first, second = owner.videos.order_by("created_at")
    output = io.StringIO()
    request = {"scope": "video", "video_id": str(first.pk)}
    admin = make_user("admin@example.org", is_staff=True, is_superuser=True)
    api, pages, mine = APIClient(), Client(), APIClient()
    api.force_authenticate(admin)
    pages.force_login(admin)
    mine.force_authenticate(owner)

    # Without a pending space there is no notice.
    assert api.post("/v1/admin/reprocess-embeddings", request).json()["message"].endswith("spec version 2026-01-06")
    ReprocessRun.objects.all().delete()
    change_model()

    assert api.post("/v1/admin/reprocess-embeddings", request).json()["message"].endswith(f". {ONE_OF_TWO}")
    call_command("reprocess_embeddings", "--scope", "video", "--video-id", str(first.pk), stdout=output)
    assert ONE_OF_TWO in output.getvalue()
    form = {"scope": "video", "id": [str(first.pk)]}
    assert ONE_OF_TWO in pages.post("/admin/reprocess/reprocessrun/start/", form, follow=True).content.decode()
    state = mine.get(f"/v1/videos/{first.pk}/reprocess").json()
    assert state["switch"].startswith("1 of 2 of your videos is ready for the new search. It starts when all are ready.")
    assert mine.get(f"/v1/videos/{second.pk}/reprocess").json()["switch"].startswith("0 of 2")

    work_run(str(ReprocessRun.objects.get().pk))
    assert mine.get(f"/v1/videos/{second.pk}/reprocess").json()["switch"].startswith("1 of 2")
    # This run completes the owner, so search switches without a notice.
    last = api.post("/v1/admin/reprocess-embeddings", {**request, "video_id": str(second.pk)}).json()
    assert last["message"].endswith("spec version 2026-01-06")
    manual_output = io.StringIO()
    call_command(
        "reprocess_embeddings",
        "--scope",
        "owner",
        "--owner-id",
        str(owner.pk),
        "--since",
        "2999-01-01",
        "--no-cutover",
        stdout=manual_output,
    )
    assert "manage.py cutover" not in manual_output.getvalue()


def test_a_partial_run_does_not_switch_and_its_vectors_are_not_computed_again(owner: User, change_model: Callable[[], None]) -> None:
    first = owner.videos.earliest("created_at")
    before = get_active_spaces(owner)
    change_model()
    part = run(Scope("video", video_id=first.pk))
    assert (part.state, part.counters.get(channel="transcript").done) == ("succeeded", 3)
    assert get_active_spaces(owner) == before
    rows = dict(first.scenes.values_list("embeddings__pk", "embeddings__computed_at"))

    whole = run(Scope("owner", owner_id=owner.pk))
    counts = {counter.channel: (counter.done, counter.empty, counter.skipped) for counter in whole.counters.exclude(channel="search_index")}
    assert counts == {"transcript": (2, 0, 4), "visual": (2, 0, 4), "summary": (2, 0, 4), "clip": (0, 0, 6)}
    assert whole.model_calls == 1
    assert dict(first.scenes.values_list("embeddings__pk", "embeddings__computed_at")) == rows
    assert get_active_spaces(owner) != before


def test_an_owner_who_was_cut_over_first_is_skipped_by_the_run_over_everything(owner: User, change_model: Callable[[], None]) -> None:
    other = make_user("other@example.org")
    make_video(other, ["The tide comes in twice a day."])
    run()
    change_model()
    run(Scope("owner", owner_id=owner.pk))
    switched, unswitched = get_active_spaces(owner), get_active_spaces(other)
    calls = get_text_embedder().calls

    rest = run()
    transcript = rest.counters.get(channel="transcript")
    assert (transcript.done, transcript.skipped) == (1, 6)
    assert (rest.model_calls, get_text_embedder().calls - calls) == (1, 1)
    assert get_active_spaces(owner) == switched
    assert get_active_spaces(other) != unswitched
    calls = get_text_embedder().calls
    assert start_run(Scope("all"), force=False, entry_point="command", requested_by=None).plan["stale"] == 0
    assert get_text_embedder().calls == calls
