"""Photos and faces go through the same pipeline as everything else: uploads, runs, switches, and whoever is killed in between."""

import io
import json
from datetime import timedelta
from pathlib import Path
from unittest import mock
from uuid import UUID

import pytest
import skimage
from django.core.management import CommandError, call_command
from django.utils import timezone
from PIL import Image
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.backends import face_model
from heimdex.profiles import DLIB
from heimdex.storage import media_storage
from people.actions.delete_photo import delete_photo
from people.actions.rule_face import rule_face
from people.groups import find_ungrouped, group_faces
from people.models import FaceGroup, FaceMatch, FaceRuling, Person, PersonPhoto, PhotoEmbedding, QueryEmbedding, SceneFace
from people.photos.schedule import rescue
from reprocess.actions.plan_run import plan_run
from reprocess.actions.start_run import start_run
from reprocess.models import Cutover, ReprocessItem, ReprocessRun
from reprocess.people_renewal import renew_people, wake_forgotten
from reprocess.scope import Scope
from reprocess.worker import work
from tests.library import make_user, make_video
from videos.composition import input_hash
from videos.models import ActiveSpace, Scene, SceneEmbedding, Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("faces_on")]

ALL = Scope("all")
FACE_DATA = (Person, PersonPhoto, PhotoEmbedding, QueryEmbedding, SceneFace, FaceMatch, FaceRuling, FaceGroup)


def astronaut() -> Image.Image:
    return Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png").convert("RGB")


def jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def show(scene: Scene, picture: bytes) -> None:
    """Make a picture the scene's keyframe, as the ingest does."""
    media_storage().save(scene.keyframe_key, picture, "image/jpeg")
    scene.clip_hash = scene.pictures_hash = scene.person_hash = input_hash(picture)
    scene.save(update_fields=["clip_hash", "pictures_hash", "person_hash"])


def film(owner: User, title: str = "A film") -> Video:
    """Return a film whose second scene shows the astronaut."""
    video = make_video(owner, title=title)
    for scene in video.scenes.all():
        if scene.index == 1:
            show(scene, jpeg(astronaut().crop((60, 0, 460, 225))))
        else:
            Scene.objects.filter(pk=scene.pk).update(pictures_hash=scene.clip_hash, person_hash=scene.clip_hash)
    return video


def arrive(person: Person, picture: bytes) -> PersonPhoto:
    """Have a photo arrive as `complete` leaves it."""
    photo = PersonPhoto.objects.create(
        person=person,
        owner=person.owner,
        filename="photo.jpg",
        mime_type="image/jpeg",
        size_bytes=len(picture),
        state=PersonPhoto.State.UPLOADED,
        upload_expires_at=timezone.now() + timedelta(hours=1),
    )
    media_storage().save(photo.original_key, picture, "image/jpeg")
    return photo


def known(owner: User, name: str = "Eileen") -> Person:
    """Return a person with a READY photo."""
    person = Person.objects.create(owner=owner, name=name)
    arrive(person, jpeg(astronaut().crop((100, 0, 400, 300))))
    renew_people(owner.pk)
    return person


def calls() -> int:
    model = face_model()
    assert model is not None
    return model.calls


def finished(run: ReprocessRun) -> ReprocessRun:
    work(run.pk)
    run.refresh_from_db()
    return run


def run(scope: Scope = ALL, *, force: bool = False) -> ReprocessRun:
    return finished(start_run(scope, force=force, entrance="command", requested_by=None))


def where(person: Person) -> list[int]:
    return sorted(FaceMatch.objects.filter(person=person).values_list("scene__index", flat=True))


def test_a_photo_becomes_ready_and_its_person_is_found_in_the_scene_alone() -> None:
    owner = make_user()
    film(owner)
    run()
    person = known(owner)
    photo = person.photos.get()
    assert (photo.state, photo.error_text, photo.lease_token) == ("ready", "", None)
    assert where(person) == [1]
    match = FaceMatch.objects.get()
    assert 0.5 < match.probability < 1.0
    assert media_storage().size(match.face.thumbnail_key)
    # What comes later is matched when it comes.
    later = film(owner, title="Another")
    run()
    assert where(person) == [1, 1]
    assert FaceMatch.objects.filter(scene__video=later).count() == 1


def test_photos_that_do_not_show_one_good_face_say_why_and_the_others_count() -> None:
    owner = make_user()
    person = Person.objects.create(owner=owner, name="Eileen")
    face = astronaut().crop((100, 0, 400, 300))
    pair = Image.new("RGB", (600, 300))
    pair.paste(face, (0, 0))
    pair.paste(face, (300, 0))
    photos = [
        arrive(person, jpeg(face)),
        arrive(person, jpeg(Image.new("RGB", (300, 300), "green"))),
        arrive(person, jpeg(pair)),
        arrive(person, b"no picture at all"),
    ]
    renew_people(owner.pk)
    for photo in photos:
        photo.refresh_from_db()
    assert [(photo.state, photo.error_code) for photo in photos] == [
        ("ready", ""),
        ("failed", "no_face"),
        ("failed", "several_faces"),
        ("failed", "not_a_picture"),
    ]
    assert all(photo.error_text.endswith(".") for photo in photos[1:])
    assert QueryEmbedding.objects.get().state == QueryEmbedding.State.EMBEDDED


def test_a_run_does_what_is_stale_of_people_once_per_owner_and_the_second_calls_no_model() -> None:
    owner, other = make_user(), make_user("other@example.org")
    film(owner)
    known(owner)
    # An owner with people and no videos is done too.
    known(other, "Her")
    planned = {channel.channel: (channel.kind, channel.subjects, channel.stale) for channel in plan_run(ALL, force=False).channels}
    assert planned["person"] == ("scenes", 4, 4)
    assert planned["person_photo"] == ("photos", 2, 0)
    assert planned["person_query"] == ("people", 2, 0)
    first = run()
    assert (first.state, first.video_count, first.people_count) == ("succeeded", 1, 2)
    before = calls()
    second = run()
    assert (second.state, second.model_calls, calls()) == ("succeeded", 0, before)
    forced = run(force=True)
    counters = {counter.channel: (counter.planned, counter.done, counter.empty) for counter in forced.counters.all()}
    assert counters["person"] == (4, 1, 3)
    assert counters["person_photo"] == (2, 2, 0)
    assert counters["person_query"] == (2, 2, 0)
    # Four scenes and two photos were looked at again; the queries are made of vectors that are there.
    assert calls() == before + 6
    assert forced.items.filter(video__isnull=True).count() == 2


def test_a_new_photo_and_one_that_goes_renew_what_the_person_is_looked_for_with() -> None:
    owner = make_user()
    film(owner)
    run()
    person = known(owner)
    first = QueryEmbedding.objects.get().input_hash
    second = arrive(person, jpeg(astronaut().crop((80, 0, 420, 320)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    renew_people(owner.pk)
    assert QueryEmbedding.objects.get().input_hash != first
    assert where(person) == [1]
    second.delete()
    person.photos.all().delete()
    from people.query_hashes import refresh_query_hash

    refresh_query_hash([person.pk])
    renew_people(owner.pk)
    assert QueryEmbedding.objects.get().state == QueryEmbedding.State.EMPTY
    assert where(person) == []


def test_a_worker_that_dies_at_a_photo_leaves_it_to_the_next_and_the_third_time_it_fails() -> None:
    owner = make_user()
    person = Person.objects.create(owner=owner, name="Eileen")
    photo = arrive(person, jpeg(astronaut().crop((100, 0, 400, 300))))
    for attempt in (1, 2, 3):
        with mock.patch("reprocess.people_renewal._embed", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            renew_people(owner.pk)
        photo.refresh_from_db()
        assert (photo.state, photo.attempts) == ("processing", attempt)
        PersonPhoto.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        rescue()
        PersonPhoto.objects.filter(lease_expires_at__isnull=False).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        photo.refresh_from_db()
        if attempt < 3:
            assert photo.state == "uploaded"
    assert (photo.state, photo.error_code) == ("failed", "gave_up")


def test_a_model_change_fills_new_spaces_beside_the_old_and_switches_faces_and_people_together(settings: Settings) -> None:
    owner = make_user()
    film(owner)
    run()
    person = known(owner)
    before = dict(ActiveSpace.objects.filter(owner=owner).values_list("channel", "space"))
    settings.MODEL_BACKENDS = {**settings.MODEL_BACKENDS, "faces": {"BACKEND": DLIB, "OPTIONS": {"upsample": 0}}}
    assert run(Scope("video", video_id=Video.objects.get().pk)).state == "succeeded"
    # People are not done yet, so nothing is switched.
    assert dict(ActiveSpace.objects.filter(owner=owner).values_list("channel", "space")) == before
    assert run().state == "succeeded"
    after = dict(ActiveSpace.objects.filter(owner=owner).values_list("channel", "space"))
    assert {channel for channel in after if after[channel] != before[channel]} == {"person", "person_photo", "person_query"}
    assert Cutover.objects.get().state == "switched"
    assert SceneFace.objects.values("space").distinct().count() == 2
    # Each face is compared with the people of its own generation.
    for space in (before["person_query"], after["person_query"]):
        assert FaceMatch.objects.filter(person=person, space=space).count() == 1


def test_a_face_that_was_taken_out_stays_out_after_everything_is_computed_again() -> None:
    owner = make_user()
    video = film(owner)
    run()
    person = known(owner)
    face = SceneFace.objects.get()
    FaceRuling.objects.create(
        owner=owner,
        person=person,
        video=video,
        time_s=face.time_s,
        left=face.left,
        top=face.top,
        right=face.right,
        bottom=face.bottom,
        is_person=False,
    )
    renew_people(owner.pk)
    assert where(person) == []
    run(force=True)
    assert SceneFace.objects.get().pk != face.pk
    assert where(person) == []


def test_faces_that_are_replaced_leave_no_picture_behind(django_capture_on_commit_callbacks: object) -> None:
    owner = make_user()
    film(owner)
    run()
    old = SceneFace.objects.get().thumbnail_key
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        run(force=True)
    new = SceneFace.objects.get().thumbnail_key
    assert (media_storage().size(old), bool(media_storage().size(new))) == (None, True)


def test_no_faces_are_found_for_an_owner_who_wants_none() -> None:
    owner = make_user(find_faces=False)
    video = film(owner)
    Scene.objects.update(person_hash="")
    run()
    assert not SceneFace.objects.exists()
    assert set(SceneEmbedding.objects.filter(space__channel="person").values_list("state", flat=True)) == {"empty"}
    person = Person.objects.create(owner=owner, name="Eileen")
    photo = arrive(person, jpeg(astronaut()))
    renew_people(owner.pk)
    photo.refresh_from_db()
    assert (photo.state, photo.error_code) == ("failed", "faces_off")
    assert video.scenes.count() == 4


def test_failures_of_people_name_the_photo_and_can_be_retried() -> None:
    owner = make_user()
    known(owner)
    photo = PersonPhoto.objects.get()
    kept = media_storage().open(photo.picture_key).read()
    media_storage().delete(photo.picture_key)
    failed = run(force=True)
    assert failed.state == "failed"
    failure = failed.failures.get()
    assert (failure.step, failure.photo_id, failure.video_id) == ("person_photo", photo.pk, None)
    photo.refresh_from_db()
    assert photo.state == "ready"
    media_storage().save(photo.picture_key, kept, "image/jpeg")
    from reprocess.actions.retry_failures import retry_failures

    retry_failures(failed.pk)
    assert finished(failed).state == "succeeded"
    assert failed.counters.get(channel="person_photo").done == 1
    assert UUID(str(ReprocessItem.objects.get(run=failed).owner_id)) == owner.pk


def test_unknown_faces_are_grouped_named_in_one_step_and_found_from_then_on() -> None:
    owner = make_user()
    first, second = film(owner), film(owner, title="Another")
    run()
    assert find_ungrouped() == 1
    assert group_faces(owner.pk) == 2
    assert find_ungrouped() == 0
    client = APIClient()
    client.force_authenticate(owner)
    [group] = client.get("/v1/faces/groups").json()["results"]
    assert (group["scenes"], group["videos"], len(group["faces"])) == (2, 2, 2)
    named = client.post(f"/v1/faces/groups/{group['id']}/name", {"name": "Eileen"})
    assert named.status_code == 200, named.json()
    person = Person.objects.get(pk=named.json()["person_id"])
    renew_people(owner.pk)
    assert set(person.photos.values_list("state", flat=True)) == {"ready"}
    assert where(person) == [1, 1]
    assert client.get("/v1/faces/groups").json()["results"] == []
    # A later film needs nobody's word.
    film(owner, title="Third")
    run()
    assert where(person) == [1, 1, 1]
    assert {first.pk, second.pk} < set(FaceMatch.objects.values_list("scene__video", flat=True))


def test_a_wrong_face_is_taken_out_over_http_and_can_be_given_back() -> None:
    owner = make_user()
    film(owner)
    run()
    person = known(owner)
    client = APIClient()
    client.force_authenticate(owner)
    [match] = client.get(f"/v1/persons/{person.pk}/faces").json()["results"]
    address = f"/v1/persons/{person.pk}/faces/{match['face']['id']}"
    assert client.delete(address).status_code == 204
    assert where(person) == []
    renew_people(owner.pk)
    assert where(person) == []
    assert client.put(address).status_code == 204
    renew_people(owner.pk)
    assert where(person) == [1]
    assert FaceMatch.objects.get().probability == 1.0


def test_switching_faces_off_erases_every_trace_of_one_owner_and_of_nobody_else() -> None:
    owner, other = make_user(), make_user("other@example.org")
    for one in (owner, other):
        film(one)
    run()
    for one in (owner, other):
        known(one)
        group_faces(one.pk)
        rule_face(one, Person.objects.get(owner=one).pk, SceneFace.objects.get(owner=one).pk, is_person=True)
    client = APIClient()
    client.force_authenticate(owner)
    assert client.get("/v1/faces").json() == {"find_faces": True, "reason": ""}
    assert client.put("/v1/faces", {"find_faces": False}).json()["find_faces"] is False
    kept = {model.__name__: set(model.objects.values_list("owner", flat=True)) for model in FACE_DATA}
    assert kept == {model.__name__: {other.pk} for model in FACE_DATA}
    assert not SceneEmbedding.objects.filter(owner=owner, space__channel="person").exists()
    left = [key for key in media_storage().keys(f"owners/{owner.pk}") if "/faces/" in key or "/persons/" in key]
    assert left == []
    assert any("/faces/" in key for key in media_storage().keys(f"owners/{other.pk}"))
    # Nothing is found again, until the owner wants it.
    run(force=True)
    assert not SceneFace.objects.filter(owner=owner).exists()
    assert client.put("/v1/faces", {"find_faces": True}).json()["find_faces"] is True
    finished(ReprocessRun.objects.get(entrance="owner"))
    assert SceneFace.objects.filter(owner=owner).count() == 1


def test_the_command_erases_for_everybody_when_it_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    owner = make_user()
    film(owner)
    run()
    known(owner)
    with pytest.raises(CommandError, match="Nothing was erased"), mock.patch("builtins.input", return_value="no"):
        call_command("faces", "erase", "--all")
    with pytest.raises(CommandError, match="goes with erase"):
        call_command("faces", "off", "--all")
    call_command("faces", "erase", "--all", "--yes", "--json")
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer[owner.email]["people"], answer[owner.email]["faces"]) == (1, 1)
    assert not any(model.objects.exists() for model in FACE_DATA)


def test_a_wake_up_that_was_lost_is_made_up_for() -> None:
    owner = make_user()
    film(owner)
    run()
    person = known(owner)
    assert wake_forgotten() == 0
    delete_photo(owner, person.pk, person.photos.get().pk)
    # Nobody came.
    assert wake_forgotten() == 1
    renew_people(owner.pk)
    assert wake_forgotten() == 0
    assert where(person) == []
