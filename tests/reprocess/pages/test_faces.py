"""The page on which an owner turns face recognition off, which erases all faces, and on again."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from heimdex.accounts.models import User
from people.face_settings import FACES_OFF_FOR_OWNER, FACES_OFF_ON_SERVER
from people.models import FaceMatch, Person, PersonPhoto, SceneFace
from reprocess.models import ReprocessRun
from tests.library import make_user
from tests.reprocess.people.makers import finish_run, make_film, make_known_person, run
from tests.videos.pages.conftest import extract_text, read
from videos.models import Video

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("faces_on")]

PAGE = "/people/faces/"
LINK = f'href="{PAGE}"'


def switch(browser: Client, find_faces: str) -> str:
    """Submit the form and return the text of the next page."""
    answer: Any = browser.post(PAGE, {"find_faces": find_faces}, follow=True)
    assert answer.redirect_chain == [("/people/", 302)]
    return extract_text(answer.content.decode())


def test_turning_off_erases_after_a_question_and_turning_on_queues_a_run_over_all_videos(browser: Client, owner: User) -> None:
    other = make_user("other@example.org")
    for user in (owner, other):
        make_film(user)
    run()
    for user in (owner, other):
        make_known_person(user)
    assert LINK in read(browser, "/people/")
    assert "Face recognition is on. Turn it off…" in extract_text(read(browser, "/people/"))
    question = extract_text(read(browser, PAGE))
    assert "1 person with 1 photo, 1 face found in your videos," in question
    assert "This cannot be undone. Your videos are kept" in question
    # Neither the page nor a POST without a value changes anything.
    assert browser.post(PAGE).status_code == 400
    assert FaceMatch.objects.filter(owner=owner).exists()

    page = switch(browser, "0")
    assert "Face recognition is off. All people, photos and faces were erased." in page
    assert f"{FACES_OFF_FOR_OWNER} Turn on face recognition…" in page
    for model in (Person, PersonPhoto, SceneFace, FaceMatch):
        assert list(model._default_manager.values_list("owner", flat=True)) == [other.pk]
    assert Video.objects.filter(owner=owner).count() == 1
    assert "Face recognition is off. All" in switch(browser, "0")

    question = extract_text(read(browser, PAGE))
    assert "You have to add them again" in question
    assert "not erased yet" not in question
    assert "Face recognition is on. Heimdex now looks for faces" in switch(browser, "1")
    assert "Face recognition is already on." in switch(browser, "1")
    queued = ReprocessRun.objects.get(entry_point="owner")
    assert (queued.requested_by, queued.owner_id) == (owner, owner.pk)
    finish_run(queued)
    assert SceneFace.objects.filter(owner=owner).count() == 1


def test_an_interrupted_erasure_can_be_finished(browser: Client, owner: User) -> None:
    make_film(owner)
    run()
    make_known_person(owner)
    User.objects.filter(pk=owner.pk).update(find_faces=False)

    assert "Some data is not erased yet: 1 face and 1 photo. Erase the rest" in extract_text(read(browser, PAGE))
    switch(browser, "0")
    assert not SceneFace.objects.exists()
    assert "not erased yet" not in read(browser, PAGE)


@pytest.mark.parametrize("wanted", [True, False])
def test_owners_cannot_choose_when_faces_are_off_on_the_server(browser: Client, owner: User, settings: LazySettings, wanted: bool) -> None:
    settings.MODEL_BACKENDS = {alias: backend for alias, backend in settings.MODEL_BACKENDS.items() if alias != "faces"}
    User.objects.filter(pk=owner.pk).update(find_faces=wanted)

    page = read(browser, "/people/")
    assert FACES_OFF_ON_SERVER in extract_text(page)
    assert LINK not in page
    page = read(browser, PAGE)
    assert FACES_OFF_ON_SERVER in extract_text(page)
    assert 'name="find_faces"' not in page
    assert FACES_OFF_ON_SERVER in switch(browser, "1")
    owner.refresh_from_db()
    assert owner.find_faces is wanted
    assert not ReprocessRun.objects.exists()


def test_anonymous_users_are_sent_to_the_login_page(client: Client, owner: User) -> None:
    for answer in (client.get(PAGE), client.post(PAGE, {"find_faces": "0"})):
        assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={PAGE}")
    owner.refresh_from_db()
    assert owner.find_faces
