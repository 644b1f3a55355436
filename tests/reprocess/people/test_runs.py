"""Runs refresh stale photos, people and faces, switch to other models, and record failures."""

from uuid import UUID

import pytest
from pytest_django import Settings

from heimdex.profiles import DLIB
from heimdex.storage import get_media_storage
from people.models import FaceMatch, PersonPhoto, SceneFace
from reprocess.actions.runs import retry_failures
from reprocess.models import Cutover, ReprocessItem
from reprocess.planning.scope import Scope
from reprocess.runs.requests import plan_run
from tests.library import make_user
from tests.reprocess.people.makers import ALL, count_calls, finish_run, make_film, make_known_person, run
from videos.models import ActiveSpace, Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("faces_on")]


def test_a_run_refreshes_stale_people_once_per_owner_and_the_next_run_calls_no_model() -> None:
    owner, other = make_user(), make_user("other@example.org")
    make_film(owner)
    make_known_person(owner)
    # An owner with people and without videos is included.
    make_known_person(other, "Her")
    planned = {channel.channel: (channel.target_type, channel.targets, channel.stale) for channel in plan_run(ALL, force=False).channels}
    assert planned["person"] == ("scenes", 4, 4)
    assert planned["person_photo"] == ("photos", 2, 0)
    assert planned["person_query"] == ("people", 2, 0)
    first = run()
    assert (first.state, first.video_count, first.people_count) == ("succeeded", 1, 2)
    before = count_calls()
    second = run()
    assert (second.state, second.model_calls, count_calls()) == ("succeeded", 0, before)
    forced = run(force=True)
    counters = {counter.channel: (counter.planned, counter.done, counter.empty) for counter in forced.counters.all()}
    assert counters["person"] == (4, 1, 3)
    assert counters["person_photo"] == (2, 2, 0)
    assert counters["person_query"] == (2, 2, 0)
    # Four scenes and two photos were computed again. The queries are computed from existing vectors.
    assert count_calls() == before + 6
    assert forced.items.filter(video__isnull=True).count() == 2


def test_after_a_model_change_faces_and_people_switch_together_to_new_spaces(settings: Settings) -> None:
    owner = make_user()
    make_film(owner)
    run()
    person = make_known_person(owner)
    before = dict(ActiveSpace.objects.filter(owner=owner).values_list("channel", "space"))
    settings.MODEL_BACKENDS = {**settings.MODEL_BACKENDS, "faces": {"BACKEND": DLIB, "OPTIONS": {"upsample": 0}}}
    assert run(Scope("video", video_id=Video.objects.get().pk)).state == "succeeded"
    # People are missing in the new spaces, so search does not switch.
    assert dict(ActiveSpace.objects.filter(owner=owner).values_list("channel", "space")) == before
    assert run().state == "succeeded"
    after = dict(ActiveSpace.objects.filter(owner=owner).values_list("channel", "space"))
    assert {channel for channel in after if after[channel] != before[channel]} == {"person", "person_photo", "person_query"}
    assert Cutover.objects.get().state == "switched"
    assert SceneFace.objects.values("space").distinct().count() == 2
    # Faces are matched with the people's vectors of the same model.
    for space in (before["person_query"], after["person_query"]):
        assert FaceMatch.objects.filter(person=person, space=space).count() == 1


def test_replaced_faces_leave_no_thumbnail_behind(django_capture_on_commit_callbacks: object) -> None:
    owner = make_user()
    make_film(owner)
    run()
    old = SceneFace.objects.get().thumbnail_key
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        run(force=True)
    new = SceneFace.objects.get().thumbnail_key
    assert (get_media_storage().size(old), bool(get_media_storage().size(new))) == (None, True)


def test_failures_of_photos_name_the_photo_and_can_be_retried() -> None:
    owner = make_user()
    make_known_person(owner)
    photo = PersonPhoto.objects.get()
    kept = get_media_storage().open(photo.image_key).read()
    get_media_storage().delete(photo.image_key)
    failed = run(force=True)
    assert failed.state == "failed"
    failure = failed.failures.get()
    assert (failure.step, failure.photo_id, failure.video_id) == ("person_photo", photo.pk, None)
    photo.refresh_from_db()
    assert photo.state == "ready"
    get_media_storage().save(photo.image_key, kept, "image/jpeg")
    retry_failures(failed.pk)
    assert finish_run(failed).state == "succeeded"
    assert failed.counters.get(channel="person_photo").done == 1
    assert UUID(str(ReprocessItem.objects.get(run=failed).owner_id)) == owner.pk
