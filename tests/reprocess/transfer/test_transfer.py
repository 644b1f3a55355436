"""A library belongs to another owner as a whole: found by the new one, hidden from the old one, and clean for reconcile."""

import io
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.leases import Lease
from heimdex.storage import StorageError, get_media_storage
from people.models import FaceMatch, PeopleRefreshRequest, Person, PersonPhoto
from reprocess.actions.transfers import plan_transfer, transfer_library
from reprocess.models import ReprocessItem
from reprocess.runs.refresh_people import refresh_people
from reprocess.transfer.rows import MOVED, NOT_MOVED, choose_free_name
from tests.library import make_user
from tests.planted import filter_by_owner, list_owned_models, plant_owner
from tests.reprocess.people.makers import make_film, make_known_person, run
from tests.reprocess.reconcile.conftest import count_issues, finish_runs, make_complete_video
from videos.models import ActiveSpace, RecordedQuery, RetiredSpace, Scene, Video

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("faces_on")]
OLD, NEW = "old@example.org", "new@example.org"


@pytest.fixture
def old(any_storage: None) -> User:
    """Return an owner of a film with a known face and of a video with all its files, both embedded."""
    owner = make_user(OLD)
    film = make_film(owner)
    get_media_storage().save(film.original_key, b"film", "video/mp4")
    for scene in film.scenes.all():
        get_media_storage().save(scene.thumbnail_key, b"jpeg", "image/jpeg")
    make_complete_video(owner)
    make_known_person(owner)
    run()
    refresh_people(owner.pk)
    return owner


@pytest.fixture
def new(old: User) -> User:
    """Return an owner with a small library, and a person of the same name."""
    owner = make_user(NEW)
    make_complete_video(owner)
    Person.objects.create(owner=owner, name="eileen")
    run()
    refresh_people(owner.pk)
    PeopleRefreshRequest.objects.all().delete()
    assert count_issues() == {}
    return owner


def transfer(source: User, target: User) -> Any:
    return transfer_library(source, target, entry_point="command", requested_by=None)


def settle(owner: User) -> None:
    """Do what the workers do after a transfer."""
    finish_runs()
    refresh_people(owner.pk)


def list_ids(model: type[models.Model], condition: Q, owner: User) -> set[Any]:
    return set(model._default_manager.filter(condition, owner=owner).values_list("pk", flat=True))


def list_keys(owner: User) -> list[str]:
    return list(get_media_storage().list_keys(f"owners/{owner.pk}"))


def test_everything_of_a_library_moves(old: User, new: User) -> None:
    ids = {model: list_ids(model, condition, old) for model, condition in MOVED.items()}
    videos, keys = list(Video.objects.filter(owner=old)), list_keys(old)
    old_urls = [video.playback_url for video in videos]
    own_keys = set(list_keys(new))
    assert FaceMatch.objects.filter(owner=old).exists()

    report = transfer(old, new)

    assert (report.videos, report.people, report.photos, report.renamed_people, report.copied_files) == (2, 1, 1, 1, len(keys))
    for model, condition in MOVED.items():
        assert list_ids(model, condition, old) == set(), model
        assert ids[model] <= list_ids(model, condition, new), model
    assert list_keys(old) == []
    assert set(list_keys(new)) == own_keys | {key.replace(str(old.pk), str(new.pk)) for key in keys}
    assert {person.name for person in Person.objects.filter(owner=new)} == {"eileen", "Eileen (2)"}
    settle(new)
    assert count_issues() == {}
    assert FaceMatch.objects.filter(owner=new, person__name="Eileen (2)").exists()
    if old_urls[0].startswith("/"):
        assert [Client().get(url).status_code for url in old_urls] == [404, 404]
        assert Client().get(Video.objects.get(pk=videos[0].pk).playback_url).status_code == 200


def test_the_new_owner_finds_and_the_old_owner_sees_nothing(old: User, new: User) -> None:
    video = Video.objects.filter(owner=old).earliest("created_at")
    scene = Scene.objects.filter(video=video).earliest("index")
    transfer(old, new)
    settle(new)
    them, they = APIClient(), APIClient()
    them.force_authenticate(old)
    they.force_authenticate(new)

    results = they.get("/v1/search?q=boat").json()["results"]

    assert str(scene.pk) in {result["scene_id"] for result in results}
    assert they.get(f"/v1/videos/{video.pk}").status_code == 200
    assert them.get("/v1/search?q=boat").json()["results"] == []
    assert them.get("/v1/videos").json()["results"] == them.get("/v1/persons").json()["results"] == []
    for path in (f"videos/{video.pk}", f"videos/{video.pk}/reprocess", f"persons/{Person.objects.get(name='Eileen (2)').pk}"):
        assert them.get(f"/v1/{path}").status_code == 404


@pytest.mark.usefixtures("local_storage")
def test_an_empty_account_takes_over_the_spaces() -> None:
    source, target = make_user(OLD), make_user(NEW)
    make_complete_video(source)
    run()
    read = set(ActiveSpace.objects.filter(owner=source).values_list("channel", "space"))
    retired = RetiredSpace.objects.create(owner=source, space=ActiveSpace.objects.filter(owner=source)[0].space).space_id
    ActiveSpace.objects.filter(owner=source, space=retired).delete()

    transfer(source, target)

    assert set(ActiveSpace.objects.filter(owner=target).values_list("channel", "space")) == {row for row in read if row[1] != retired}
    assert [row.space_id for row in RetiredSpace.objects.filter(owner=target)] == [retired]
    assert not ActiveSpace.objects.filter(owner=source).exists()


@pytest.mark.usefixtures("local_storage")
def test_what_belongs_to_the_person_stays() -> None:
    source, target = make_user(OLD), make_user(NEW)
    make_complete_video(source)
    upload = Video.objects.create(
        owner=source, title="Sent", filename="f", mime_type="video/mp4", size_bytes=1, upload_expires_at=timezone.now()
    )
    get_media_storage().save(upload.upload_key, b"x")
    RecordedQuery.objects.create(owner=source, text="a private question")

    transfer(source, target)

    assert list(Video.objects.filter(owner=source)) == [upload]
    assert list_keys(source) == [upload.upload_key]
    assert not RecordedQuery.objects.filter(owner=target).exists()


def test_every_model_with_an_owner_is_moved_or_stays_on_purpose() -> None:
    assert {*MOVED, *NOT_MOVED} == set(list_owned_models())
    assert not {*MOVED} & {*NOT_MOVED}


@pytest.mark.usefixtures("local_storage")
def test_rows_of_every_model_move() -> None:
    source, target = make_user(OLD), make_user(NEW)
    plant_owner(source)
    ReprocessItem.objects.update(state=ReprocessItem.State.DONE, lease_token=None, lease_expires_at=None)
    PersonPhoto.objects.update(state=PersonPhoto.State.FAILED)
    PeopleRefreshRequest.objects.all().delete()
    Video.objects.filter(owner=source).exclude(state=Video.State.INDEXED).update(state=Video.State.FAILED)

    transfer(source, target)

    left = {model for model in list_owned_models() if model._default_manager.filter(filter_by_owner(model, source)).exists()}
    assert left <= {*NOT_MOVED, ReprocessItem}


@pytest.mark.usefixtures("local_storage")
def test_an_interrupted_transfer_continues() -> None:
    source, target = make_user(OLD), make_user(NEW)
    video = make_complete_video(source)
    run()
    keys = list_keys(source)
    with mock.patch("reprocess.actions.transfers.move_rows", side_effect=StorageError("lost")), pytest.raises(StorageError):
        transfer(source, target)
    assert Video.objects.get().owner == source
    assert list_keys(source) == keys
    with mock.patch("reprocess.actions.transfers.delete_left_files", side_effect=StorageError("lost")), pytest.raises(StorageError):
        transfer(source, target)
    assert Video.objects.get().owner == target
    assert list_keys(source) == keys

    transfer(source, target)

    assert list_keys(source) == []
    assert len(list_keys(target)) == len(keys)
    settle(target)
    assert Video.objects.get(pk=video.pk).owner == target
    assert count_issues() == {}


def lock_target(video: Video, target: User) -> str:
    User.objects.filter(pk=target.pk).update(is_active=False)
    return "is locked"


def process_video(video: Video, target: User) -> str:
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
    return "1 videos are being processed"


def work_on_item(video: Video, target: User) -> str:
    items = ReprocessItem.objects.filter(video=video)
    items.update(state=ReprocessItem.State.QUEUED)
    assert Lease.acquire(items, 1, state=ReprocessItem.State.RUNNING)[1]
    return "A run is working on 1 parts"


def refresh(video: Video, target: User) -> str:
    PeopleRefreshRequest.objects.create(owner=video.owner)
    return "are being updated"


def turn_faces_off(video: Video, target: User) -> str:
    Person.objects.create(owner=video.owner, name="Ada")
    User.objects.filter(pk=target.pk).update(find_faces=False)
    return "Face recognition is off for new@example.org"


@pytest.mark.usefixtures("local_storage")
@pytest.mark.parametrize("obstruct", [lock_target, process_video, work_on_item, refresh, turn_faces_off])
def test_a_transfer_that_is_not_possible_names_the_fix_and_changes_nothing(obstruct: Callable[[Video, User], str]) -> None:
    source, target = make_user(OLD), make_user(NEW)
    video = make_complete_video(source)
    run()
    keys, reason = list_keys(source), obstruct(video, target)

    with pytest.raises(CommandError, match="Nothing was transferred.*" + reason) as error:
        call_command("transfer_library", OLD, NEW)

    assert error.value.returncode == 1
    assert reason in plan_transfer(source, target).obstacles[0]
    assert (list_keys(source), list_keys(target)) == (keys, [])
    assert Video.objects.get().owner == source


@pytest.mark.usefixtures("local_storage")
def test_the_command_shows_and_does() -> None:
    source, target = make_user(OLD), make_user(NEW)
    make_complete_video(source)
    out = io.StringIO()

    call_command("transfer_library", OLD, NEW, "--dry-run", "--json", stdout=out)
    planned = json.loads(out.getvalue())
    assert (planned["videos"], planned["people"], planned["obstacles"]) == (1, 0, [])
    assert Video.objects.get().owner == source
    out = io.StringIO()
    call_command("transfer_library", OLD, NEW, "--json", stdout=out)
    assert json.loads(out.getvalue())["videos"] == 1
    assert Video.objects.get().owner == target
    for wrong in ((OLD, OLD), (OLD, "nobody@example.org")):
        with pytest.raises(CommandError) as error:
            call_command("transfer_library", *wrong)
        assert error.value.returncode == 2


@pytest.mark.usefixtures("local_storage")
def test_an_admin_confirms_what_moves(admin_client: Client) -> None:
    source, target = make_user(OLD), make_user(NEW)
    make_complete_video(source)
    action = {"action": "choose_library", "_selected_action": [str(source.pk)]}
    page = admin_client.post("/admin/accounts/user/", action)["Location"]

    assert "There is no account nobody@example.org" in admin_client.get(page, {"target": "nobody@example.org"}).content.decode()
    shown = admin_client.get(page, {"target": NEW}).content.decode()
    assert "1 video " in shown
    assert Video.objects.get().owner == source
    with mock.patch("heimdex.queue._send") as sent:
        assert admin_client.post(page, {"target": NEW}).status_code == 302
    task, arguments = sent.call_args.args
    task.resolve()(*arguments)
    assert Video.objects.get().owner == target


@pytest.mark.usefixtures("local_storage")
def test_only_superusers_transfer() -> None:
    source = make_user(OLD)
    client = Client()
    client.force_login(make_user("staff@example.org", is_staff=True))
    assert client.get(f"/admin/accounts/user/{source.pk}/transfer/").status_code == 403


@pytest.mark.parametrize(
    ("name", "taken", "expected"),
    [("Ada", {"ada"}, "Ada (2)"), ("Ada", {"ada", "ada (2)"}, "Ada (3)"), ("A" * 200, set(), "A" * 196 + " (2)")],
)
def test_a_free_name_is_numbered(name: str, taken: set[str], expected: str) -> None:
    assert choose_free_name(name, taken) == expected
