"""Face labels survive every recomputation, and owners with face recognition off have no faces."""

import json
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from heimdex.storage import get_media_storage
from people.actions.faces import build_labels, label_face
from people.face_groups import group_faces, queue_ungrouped_owners
from people.models import FaceGroup, FaceLabel, FaceMatch, Person, PersonPhoto, PhotoEmbedding, QueryEmbedding, SceneFace
from reprocess.models import ReprocessRun
from reprocess.runs.refresh_people import refresh_people
from tests.library import make_user
from tests.reprocess.people.makers import add_photo, encode_jpeg, find_scenes, finish_run, load_astronaut, make_film, make_known_person, run
from videos.models import SceneEmbedding

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("faces_on")]

FACE_DATA = (Person, PersonPhoto, PhotoEmbedding, QueryEmbedding, SceneFace, FaceMatch, FaceLabel, FaceGroup)


def test_unnamed_faces_are_grouped_named_in_one_step_and_recognized_afterwards() -> None:
    owner = make_user()
    first, second = make_film(owner), make_film(owner, title="Another")
    run()
    assert queue_ungrouped_owners() == 1
    assert group_faces(owner.pk) == 2
    assert queue_ungrouped_owners() == 0
    client = APIClient()
    client.force_authenticate(owner)
    [group] = client.get("/v1/faces/groups").json()["results"]
    assert (group["scenes"], group["videos"], len(group["faces"])) == (2, 2, 2)
    named = client.post(f"/v1/faces/groups/{group['id']}/name", {"name": "Eileen"})
    assert named.status_code == 200, named.json()
    person = Person.objects.get(pk=named.json()["person_id"])
    refresh_people(owner.pk)
    assert set(person.photos.values_list("state", flat=True)) == {"ready"}
    assert find_scenes(person) == [1, 1]
    assert client.get("/v1/faces/groups").json()["results"] == []
    # The person is recognized in a later film without another label.
    make_film(owner, title="Third")
    run()
    assert find_scenes(person) == [1, 1, 1]
    assert {first.pk, second.pk} < set(FaceMatch.objects.values_list("scene__video", flat=True))


def test_a_wrong_face_can_be_rejected_and_restored_over_http() -> None:
    owner = make_user()
    make_film(owner)
    run()
    person = make_known_person(owner)
    client = APIClient()
    client.force_authenticate(owner)
    [match] = client.get(f"/v1/persons/{person.pk}/faces").json()["results"]
    url = f"/v1/persons/{person.pk}/faces/{match['face']['id']}"
    assert client.delete(url).status_code == 204
    assert find_scenes(person) == []
    refresh_people(owner.pk)
    assert find_scenes(person) == []
    assert client.put(url).status_code == 204
    refresh_people(owner.pk)
    assert find_scenes(person) == [1]
    assert FaceMatch.objects.get().probability == 1.0


def test_a_rejected_face_stays_rejected_after_everything_is_recomputed() -> None:
    owner = make_user()
    make_film(owner)
    run()
    person = make_known_person(owner)
    face = SceneFace.objects.get()
    FaceLabel.objects.bulk_create(build_labels([face], person, is_person=False))
    refresh_people(owner.pk)
    assert find_scenes(person) == []
    run(force=True)
    assert SceneFace.objects.get().pk != face.pk
    assert find_scenes(person) == []


def test_no_faces_are_detected_for_an_owner_with_faces_off() -> None:
    owner = make_user(find_faces=False)
    video = make_film(owner)
    run()
    assert not SceneFace.objects.exists()
    assert set(SceneEmbedding.objects.filter(space__channel="person").values_list("state", flat=True)) == {"empty"}
    person = Person.objects.create(owner=owner, name="Eileen")
    photo = add_photo(person, encode_jpeg(load_astronaut()))
    refresh_people(owner.pk)
    photo.refresh_from_db()
    assert (photo.state, photo.error_code) == ("failed", "faces_off")
    assert video.scenes.count() == 4


def test_turning_faces_off_erases_all_face_data_of_one_owner_only() -> None:
    owner, other = make_user(), make_user("other@example.org")
    for user in (owner, other):
        make_film(user)
    run()
    for user in (owner, other):
        make_known_person(user)
        group_faces(user.pk)
        label_face(user, Person.objects.get(owner=user).pk, SceneFace.objects.get(owner=user).pk, is_person=True)
    client = APIClient()
    client.force_authenticate(owner)
    assert client.get("/v1/faces").json() == {"find_faces": True, "reason": ""}
    assert client.put("/v1/faces", {"find_faces": False}).json()["find_faces"] is False
    kept = {model.__name__: set(model.objects.values_list("owner", flat=True)) for model in FACE_DATA}
    assert kept == {model.__name__: {other.pk} for model in FACE_DATA}
    assert not SceneEmbedding.objects.filter(owner=owner, space__channel="person").exists()
    left = [key for key in get_media_storage().list_keys(f"owners/{owner.pk}") if "/faces/" in key or "/persons/" in key]
    assert left == []
    assert any("/faces/" in key for key in get_media_storage().list_keys(f"owners/{other.pk}"))
    # No face is detected until the owner turns face recognition on.
    run(force=True)
    assert not SceneFace.objects.filter(owner=owner).exists()
    assert client.put("/v1/faces", {"find_faces": True}).json()["find_faces"] is True
    finish_run(ReprocessRun.objects.get(entry_point="owner"))
    assert SceneFace.objects.filter(owner=owner).count() == 1


def test_the_command_can_erase_the_faces_of_all_owners(capsys: pytest.CaptureFixture[str]) -> None:
    owner = make_user()
    make_film(owner)
    run()
    make_known_person(owner)
    with pytest.raises(CommandError, match="Nothing was erased"), mock.patch("builtins.input", return_value="no"):
        call_command("faces", "erase", "--all")
    with pytest.raises(CommandError, match="works only with erase"):
        call_command("faces", "off", "--all")
    call_command("faces", "erase", "--all", "--yes", "--json")
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer[owner.email]["people"], answer[owner.email]["faces"]) == (1, 1)
    assert not any(model.objects.exists() for model in FACE_DATA)
