"""Everything that the application asks of its database works with the role that is no superuser."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.access import end_logins
from heimdex.database.connection_info import read_embedded_connection
from people.actions.persons import delete_person
from people.face_groups import group_faces
from people.models import FaceMatch, Person
from reprocess.actions.transfers import transfer_library
from reprocess.reconcile.reconciliation import reconcile
from reprocess.runs.refresh_people import refresh_people
from tests.library import make_user, make_video
from tests.reprocess.people.makers import make_film, make_known_person, run
from videos.actions.videos import delete_video, edit_video
from videos.models import PackedSpace, Video
from videos.search import packing


@pytest.fixture
def application_role(transactional_db: None) -> Iterator[None]:
    """Connect with the application's role, in all threads."""
    application = read_embedded_connection(Path(os.environ["HEIMDEX_HOME"]))
    assert application
    superuser = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update(USER=application.user, PASSWORD=application.password)
    yield
    connection.close()
    connection.settings_dict.update(superuser)


@pytest.mark.usefixtures("application_role", "faces_on")
def test_the_work_of_an_installation_needs_no_superuser(settings: Settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
    with pytest.raises(ProgrammingError, match="must be owner"), connection.cursor() as cursor:
        cursor.execute("DROP TABLE videos_video CASCADE")
    settings.PACK_MIN_VECTORS = 2
    owner, other = make_user("owner@example.org"), make_user("other@example.org")
    film = make_film(owner)
    person = make_known_person(owner)
    make_video(owner, ["A boat at sea."])
    api = APIClient()
    assert api.post("/v1/auth/token", {"email": "owner@example.org", "password": "correct horse battery"}).status_code == 200
    api.force_authenticate(owner)

    assert run().state == "succeeded"
    refresh_people(owner.pk)
    group_faces(owner.pk)
    assert FaceMatch.objects.exists()
    with mock.patch.object(packing, "BLOCK_SIZE", 2):
        assert packing.pack_large_spaces() > 0
    assert PackedSpace.objects.filter(is_active=True).exists()
    assert api.get("/v1/search?q=boat").json()["results"]
    assert api.get(f"/v1/search?person_id={person.pk}").json()["results"]
    edit_video(film, title="Another title")
    assert run(force=True).state == "succeeded"
    # The videos of this test have no originals.
    report = reconcile(None, repair=True, on_check=lambda name, number, total: None)
    assert {issue.issue_type.name for issue in report.issues if issue.left} == {"missing_originals", "missing_pictures"}
    call_command("purge_spaces")
    end_logins(owner.pk)
    refresh_people(owner.pk)
    transfer_library(owner, other, entry_point="command", requested_by=None)
    delete_person(other, Person.objects.get().pk)
    for video in Video.objects.all():
        delete_video(video)
    assert not Video.objects.exists()
